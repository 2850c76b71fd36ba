"""Try the installed wheel in a new site, following the lines of the README to the letter.

    python -I tests/packaging/check_wheel.py FOLDER

Run it with the interpreter into which the wheel was installed; FOLDER must not exist yet.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PACKAGE = "wagtail_email_insights"
NAME = "newsite"
README = Path(__file__).resolve().parents[2] / "README.md"
SNIPPET = re.compile(r"```python\n# (?P<file>[\w./]+)\n(?P<code>.*?)```", re.DOTALL)


def main(folder: Path) -> None:
    start_site(folder)
    follow_readme(folder)
    for command in (
        ["check"],
        ["makemigrations", "--check", "--dry-run"],
        ["migrate", "--verbosity", "0"],
        [PACKAGE.removeprefix("wagtail_"), "status"],
    ):
        run_quietly(folder, *command)
    enter(folder)
    check_origin()
    check_menu()
    check_public_addresses()
    print(f"The wheel works in a new site: {versions()}.")


def start_site(folder: Path) -> None:
    folder.mkdir(parents=True)
    wagtail = Path(sys.executable).with_name("wagtail")
    subprocess.run([wagtail, "start", NAME, folder], check=True, stdout=subprocess.DEVNULL)


def follow_readme(folder: Path) -> None:
    """Append the settings; put the line with the addresses above Wagtail's own."""
    snippets = {match["file"]: match["code"] for match in SNIPPET.finditer(README.read_text())}
    settings = folder / NAME / "settings" / "base.py"
    settings.write_text(settings.read_text() + "\n" + snippets["settings.py"])
    line, *_ = re.findall(r"^ *path\(.*$", snippets["urls.py"], re.MULTILINE)
    urls = folder / NAME / "urls.py"
    before, catch_all, after = urls.read_text().partition('    path("", include(wagtail_urls))')
    assert catch_all, "“wagtail start” writes another urls.py than it used to"
    urls.write_text(f"{before}    {line.strip()}\n{catch_all}{after}")


def run_quietly(folder: Path, *command: str) -> None:
    """Run a management command that must succeed without a word about our package."""
    done = subprocess.run(
        [sys.executable, "-W", "always", "manage.py", *command],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    print(f"$ manage.py {' '.join(command)}\n{done.stdout}", end="")
    assert done.returncode == 0, done.stdout + done.stderr
    complaints = [line for line in done.stderr.splitlines() if PACKAGE in line]
    assert not complaints, "\n".join(complaints)


def enter(folder: Path) -> None:
    """Become a process of the new site."""
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{NAME}.settings.dev"
    import django

    django.setup()


def check_origin() -> None:
    import wagtail_email_insights

    origin = Path(wagtail_email_insights.__file__)
    assert origin.is_relative_to(sys.prefix), f"{origin} is not the installed wheel"


def check_menu() -> None:
    """An administrator finds the menu, and every screen it leads to opens."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("editor", "", "secret"))
    home = client.get("/admin/").content.decode()
    screens = sorted(set(re.findall(r"/admin/email-insights/[a-z/-]+", home)))
    assert len(screens) >= 6, f"the menu “Email” leads to {screens} only"
    for screen in [*screens, "/admin/email-insights/emails/add/"]:
        status = client.get(screen).status_code
        assert status == 200, f"{screen} answers {status}"
        print(f"200 {screen}")


def check_public_addresses() -> None:
    from django.test import Client

    client = Client()
    for name in ("c", "o"):
        assert client.get(f"/email/{name}/forged").status_code == 404
    assert client.get("/email/unsubscribe/forged/").status_code == 404
    assert client.get("/").status_code == 200


def versions() -> str:
    import django
    import wagtail

    python = sys.version.split()[0]
    return f"Python {python}, Django {django.__version__}, Wagtail {wagtail.__version__}"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
