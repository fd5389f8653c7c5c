"""A site's configuration with values from the environment: SAMSPEL__MQTT__PASSWORD, SAMSPEL__SITE__NAME.

A module of its own, so that the library for it is only imported where there is such a value.
"""

from __future__ import annotations

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from samspel.config.site import ENVIRONMENT, SiteConfig

__all__ = ["SiteSettings"]


class SiteSettings(SiteConfig, BaseSettings):
    """What stands in the environment outranks what it is called with."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT, env_nested_delimiter="__", nested_model_default_partial_update=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment outranks the file."""
        return env_settings, init_settings
