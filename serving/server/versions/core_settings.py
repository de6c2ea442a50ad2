"""Settings of the core of the server."""

from __future__ import annotations

from dataclasses import dataclass, field

from tfrec.serving.server.metrics.request_log import RequestLog
from tfrec.serving.server.security.limits import Limits
from tfrec.serving.server.sessions.batch_task import BatchSettings
from tfrec.serving.server.versions.loader import LoadSettings


@dataclass(frozen=True)
class CoreSettings:
    """Settings of a core.

    Attributes:
        batching: workers and batches.
        limits: on each request.
        loading: how versions are loaded.
        log: of requests.
        poll_seconds: between two looks at the base paths; 0 or less looks only at the start and at reloads.
        retry_seconds: after which a version that could not be loaded is tried again though its files are the same.
        retries: how often.
        drain_seconds: after which it is noted that an old version is still in use.
        reload_paths: folders, besides the base paths of the models, from which a client's reload may bring models.
    """

    batching: BatchSettings = field(default_factory=BatchSettings)
    limits: Limits = field(default_factory=Limits)
    loading: LoadSettings = field(default_factory=LoadSettings)
    log: RequestLog = field(default_factory=RequestLog)
    poll_seconds: float = 1.0
    retry_seconds: float = 60.0
    retries: int = 5
    drain_seconds: float = 60.0
    reload_paths: tuple[str, ...] = ()
