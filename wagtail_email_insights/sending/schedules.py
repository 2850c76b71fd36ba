def ensure_schedules(**kwargs): pass
