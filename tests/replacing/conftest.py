collect_ignore = ["bare", "library"]  # they are run in a project
