"""The preferences of the Firefox that tests drive: Tor Browser at Safest, and silent."""

import json
from collections.abc import Mapping
from pathlib import Path

_PREFERENCES: Mapping[str, bool | int | str] = {
    # As Tor Browser at Safest.
    "javascript.enabled": False,
    "svg.disabled": True,
    "privacy.resistFingerprinting": True,
    "browser.privatebrowsing.autostart": True,
    "network.prefetch-next": False,
    "network.dns.disablePrefetch": True,
    "media.peerconnection.enabled": False,
    "webgl.disabled": True,
    "gfx.downloadable_fonts.enabled": False,
    # Nothing that speaks to anybody by itself.
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.aboutHomeSnippets.updateUrl": "",
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "browser.newtabpage.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-provider.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
    # Downloads without a dialogue.
    "browser.download.folderList": 2,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.download.manager.addToRecentDocs": False,
    # For the remote control.
    "dom.file.createInChild": True,
    "marionette.port": 0,
    "remote.prefs.recommended": False,
}


def user_js(downloads: Path, socks_port: int | None) -> str:
    """Return the text of a profile's `user.js`.

    Args:
        downloads: the folder where files are saved, without asking.
        socks_port: of a Tor client on this machine, or None to go without a proxy.
    """
    preferences = dict(_PREFERENCES) | {"browser.download.dir": str(downloads)}
    if socks_port is not None:
        preferences |= {
            "network.proxy.type": 1,
            "network.proxy.socks": "127.0.0.1",
            "network.proxy.socks_port": socks_port,
            "network.proxy.socks_version": 5,
            "network.proxy.socks_remote_dns": True,
            "network.proxy.allow_hijacking_localhost": True,
            "network.dns.blockDotOnion": False,
        }
    return "".join(
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in preferences.items()
    )
