"""A study as a job of a remote Ray cluster: `study run` there, its words here."""

import asyncio
import importlib.util
import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from study.study_file import travelling
from trainables.errors import SpecError

NEEDED = ("aiohttp", "requests")
"""What ray[default] has and ray[tune] has not, of what a job's client imports."""


class Job:
    """One `study run` on the cluster whose dashboard is at `url`."""

    def __init__(self, url: str, study: str, words: Sequence[str]) -> None:
        """Send it; `study` is a name of the catalog or a file, which travels with it, and `words` are its options.

        SpecError when the cluster does not take it.
        """
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise SpecError(f"study submit needs {' and '.join(missing)}: pip install 'grokking-study[cluster]'.")
        from ray.exceptions import RayError
        from ray.job_submission import JobSubmissionClient

        self.url = url
        os.environ["RAY_API_SERVER_ADDRESS"] = url  # else Ray takes RAY_ADDRESS, whatever it is told
        file = Path(study) if study.endswith(".py") else None
        self.job_id = f"study-{file.stem if file else study}-{secrets.token_hex(3)}"
        line = ["python", "-m", "study", "run", file.name if file else study, *words]
        try:
            self.client: Any = JobSubmissionClient(url)
            with tempfile.TemporaryDirectory() as folder:
                # And what it imports from beside it: the rest is none of the cluster's business.
                for name, path in (travelling(file.absolute().parent) if file else {}).items():
                    Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, Path(folder, name))
                env: dict[str, Any] = {"working_dir": folder} if file else {}
                self.client.submit_job(entrypoint=shlex.join(line), submission_id=self.job_id, runtime_env=env)
        except (OSError, RuntimeError, RayError) as error:  # RayError: no authentication
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            raise SpecError(
                f"--address {url!r}: the cluster does not take the job ({reason}). Give its dashboard, "
                f"http://HOST:8265; where it asks for a token, set RAY_AUTH_MODE=token and copy its ~/.ray/auth_token."
            ) from None

    def follow(self, say: Callable[[str], None]) -> bool:
        """Say what the job says until it ends; True if it ended well. SpecError when the connection is lost."""
        try:
            asyncio.run(self._tail(say))
            status = self.client.get_job_status(self.job_id)
            if not status.is_terminal():
                raise ConnectionError("its cluster closed the log")
            return status == "SUCCEEDED"
        except Exception as error:  # of the network, of Ray, of what Ray reads the log with
            raise SpecError(f"lost sight of job {self.job_id} ({error}); it goes on. {self.commands()}") from None

    def commands(self) -> str:
        """How to look at the job and how to stop it."""
        last = f"{self.job_id} --address {self.url}"
        return f"Follow it with: ray job logs --follow {last}   Stop it with: ray job stop {last}"

    async def _tail(self, say: Callable[[str], None]) -> None:
        async for text in self.client.tail_job_logs(self.job_id):
            say(text)
