"""Hindi. Django has one word for a.m. and p.m., so hours are those of the whole day."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
SHORT_DATETIME_FORMAT = "d-m-Y H:i"
