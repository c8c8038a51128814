"""The credentials that a build gets, from the client's configuration and its credential helpers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docker.auth
import docker.credentials

import docker
from acceptance.runtimes.docker import client as docker_client


class Credentials(docker.auth.AuthConfig):
    """What the client's configuration gives a build; a store that fails costs its own entries, as with the command line client."""

    def __init__(self, config: docker_client.ClientConfig) -> None:
        super().__init__({"credsStore": config.creds_store, "credHelpers": dict(config.cred_helpers)})
        self.warnings: list[str] = []
        for registry, entry in config.auths.items():
            try:
                self["auths"] |= self.parse_auth({registry: entry})
            except (ValueError, TypeError, AttributeError) as error:
                self.warnings.append(f"the credentials of {docker_client.shown(registry)} are not used: {error}")

    @property
    def is_empty(self) -> bool:
        """Never: of an empty one the SDK would read the configuration again, in its own way."""
        return False

    def get_all_credentials(self) -> dict[str, Any]:
        """Credentials by registry; each failure becomes a warning."""
        found = dict(self.auths)
        if self.creds_store:
            for registry in (
                self._tried(self.creds_store, lambda: list(self._get_store_instance(self.creds_store).list())) or ()
            ):
                self._add(found, registry, self.creds_store)
        for registry, store in self.cred_helpers.items():
            self._add(found, registry, store)
        return found

    def _add(self, found: dict[str, Any], registry: str, store: str) -> None:
        entry = self._tried(store, lambda: self._resolve_authconfig_credstore(registry, store))
        if entry is not None:
            found[registry] = found[docker.auth.convert_to_hostname(registry)] = entry

    def _tried(self, store: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # a foreign program, and the SDK's reading of what it says
            helper = f"docker-credential-{docker_client.shown(store)}"
            self.warnings.append(
                f"the build goes on without the credentials of {helper}: {docker_client.shown(str(error))}"
            )
            return None
