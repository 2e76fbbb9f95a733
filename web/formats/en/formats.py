"""English: times as browsers write them, so that a page and its script agree. Django's own are 2:58 p.m. and 3 p.m."""

TIME_FORMAT = "g:i A"
DATETIME_FORMAT = "N j, Y, g:i A"
SHORT_DATETIME_FORMAT = "m/d/Y g:i A"
