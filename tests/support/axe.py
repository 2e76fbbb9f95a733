"""axe-core, which finds what keeps people with a screen reader, a keyboard or weak eyes from using a page."""

from typing import Any

from tests.support.browser import Browser
from tests.support.node import CLIENTS, install_packages

#: What a page is held to: WCAG 2.2, levels A and AA.
LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
#: Rules of these levels that axe-core leaves out unless they are asked for.
ASKED_FOR = ("target-size",)


def complaints(browser: Browser) -> list[str]:
    """What axe-core finds wrong with the page as it is shown now: `rule: element: why`."""
    install_packages(CLIENTS)
    if not browser.run("return 'axe' in window"):
        # The driver puts it past the page's Content-Security-Policy.
        browser.driver.execute_script((CLIENTS / "node_modules" / "axe-core" / "axe.min.js").read_text())
    options: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": LEVELS},
        "rules": {rule: {"enabled": True} for rule in ASKED_FOR},
        "resultTypes": ["violations"],
    }
    found = browser.run(
        """
        const { violations } = await axe.run(document, given[0]);
        return violations.flatMap(({ id, nodes }) =>
          nodes.map((node) => `${id}: ${node.target}: ${node.failureSummary.replace(/\\s+/g, " ")}`));
        """,
        options,
    )
    return list(found)
