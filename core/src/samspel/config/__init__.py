"""site.toml: what one site is configured to do."""

from samspel.config.load import load_site
from samspel.config.site import SiteConfig

__all__ = ["SiteConfig", "load_site"]
