"""Remove the folders that no answer filled, and say what to do next."""

from pathlib import Path

# By name: over an existing project (`cookiecutter --overwrite-if-exists`) there are empty folders that are its user's.
for folder in (Path(".github/workflows"), Path(".github")):
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()

Path(__file__).unlink()  # cookiecutter's copy of this, which it would leave among the temporary files
print(f"Baked {Path.cwd()}. In there, `make run` serves, and `make` lists what else there is.")
