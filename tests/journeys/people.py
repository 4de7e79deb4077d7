"""The people of a journey, so that a test reads like what they do."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.journeys.web import Answer, Web, hidden_fields, receipt_words

COMMAND = (sys.executable, "-m", "sotto")
Files = Sequence[tuple[str, bytes | Path]]


def run_command(*arguments: str, refused: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `sotto ARGUMENTS` as a person would; it must succeed, or be refused with code 1."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == (1 if refused else 0), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


class Reporter:
    """Someone with a browser and a sheet of paper."""

    def __init__(self, relay: str, language: str = "en") -> None:
        self.web = Web(relay)
        self.language = language
        self.paper: tuple[str, ...] = ()
        self._form: dict[str, str] = {}

    def opens_the_form(self) -> None:
        page = self.web.get(f"/{self.language}/report")
        assert page.status == 200
        self.paper = receipt_words(page.text)
        self._form = hidden_fields(page.text)
        assert len(self.paper) == 9

    def sends(
        self,
        text: str,
        *,
        to: Sequence[str],
        files: Files = (),
        answers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Send the form that was opened; sending it twice is allowed."""
        fields = [*self._form.items(), ("text", text), *answers]
        fields += [("recipients", name) for name in to]
        return self.web.post(
            f"/{self.language}/report", fields, [("attachments", *file) for file in files]
        )

    def opens_the_mailbox(self, words: str = "") -> Answer:
        typed = words or " ".join(self.paper)
        return self.web.post(f"/{self.language}/receipt", [("receipt", typed)])

    def acts(
        self,
        mailbox: Answer,
        action: str,
        fields: Sequence[tuple[str, str]],
        files: Files = (),
    ) -> Answer:
        """Post one of the forms of an opened mailbox page."""
        token = hidden_fields(mailbox.text)["token"]
        return self.web.post(
            f"/{self.language}/mailbox/{action}",
            [("token", token), *fields],
            [("attachments", *file) for file in files],
        )


class Courier:
    """Someone who carries files between the courier site and the desk."""

    def __init__(self, site: str) -> None:
        self.web = Web(site)

    def takes_a_bundle(self, to: Path) -> Path:
        answer = self.web.get("/bundle")
        assert answer.status == 200
        to.write_bytes(answer.body)
        return to

    def brings(self, dispatch: Path) -> Answer:
        return self.web.post("/dispatch", [], [("dispatch", dispatch.name, dispatch)])


class Counselor:
    """Someone at a desk, with the commands alone."""

    def __init__(self, desk: Path, *, key: Path, relay: Path, passphrase: str = "demo") -> None:
        self.desk = desk
        self._passphrase_file = desk.parent / f"{desk.name}.passphrase"
        self._passphrase_file.write_text(passphrase)
        told = self._run("init", "--key", str(key), "--relay", str(relay))
        self.fingerprint = re.findall(r"you +([0-9A-F ]+)", told)[0].strip()

    def _run(self, *arguments: str, refused: bool = False) -> str:
        command, *rest = arguments
        done = run_command(
            "desk",
            *command.split(),
            "--data",
            str(self.desk),
            "--passphrase-file",
            str(self._passphrase_file),
            *rest,
            refused=refused,
        )
        return done.stderr if refused else done.stdout

    def imports(self, bundle: Path, refused: bool = False) -> str:
        return self._run("import", str(bundle), refused=refused)

    def lists(self) -> list[dict[str, Any]]:
        cases: list[dict[str, Any]] = json.loads(self._run("list", "--json"))
        return cases

    def shows(self, case: str) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self._run("show", case, "--json"))
        return shown

    def prints(self, case: str) -> str:
        return self._run("show", case)

    def extracts(self, case: str, to: Path) -> Path:
        self._run("extract", case, "--out", str(to))
        return to

    def replies(self, case: str, text: str) -> None:
        file = self.desk.parent / "reply.txt"
        file.write_text(text, encoding="utf-8")
        self._run("reply", case, "--text-file", str(file))

    def works(self, step: str, *arguments: str, why: str = "") -> str:
        """Do a step of the procedure: `sotto desk case STEP`, with a reason if it asks for one."""
        reason: tuple[str, ...] = ()
        if why:
            file = self.desk.parent / f"{self.desk.name}.why"
            file.write_text(why, encoding="utf-8")
            reason = ("--why", str(file))
        return self._run(f"case {step}", *reason, *arguments)

    def backs_up(self, to: Path) -> None:
        self._run("backup", "--out", str(to))

    def exports(self, to: Path) -> Path:
        self._run("export", "--out", str(to))
        return to
