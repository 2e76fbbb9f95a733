"""Calendar files (iCalendar, RFC 5545): the lessons and holidays in them. Nothing here knows the database."""
