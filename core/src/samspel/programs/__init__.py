"""Local programmes (schedules, droop): the room for the work on `arm`. Nothing runs here yet."""
