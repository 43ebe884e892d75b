"""Names of the channels of the feature layer, for people who look at weights."""

from __future__ import annotations


def channel_names(feature_spec: str, channels: int) -> list[str]:
    """Return the names of the ON channels, then of the OFF channels, such as "ON 4px 22.5deg".

    Features whose specification says nothing of orientations and wavelengths get numbers.
    """
    fields = dict(part.split("=", 1) for part in feature_spec.split(";") if "=" in part)
    wavelengths = fields.get("wl", "").split(",")
    orientations = int(fields["o"]) if fields.get("o", "").isdigit() else 0
    if orientations and orientations * len(wavelengths) == channels:
        plain = [
            f"{wavelength}px {180 * k / orientations:g}deg"
            for wavelength in wavelengths
            for k in range(orientations)
        ]
    else:
        plain = [str(channel) for channel in range(channels)]
    return [f"{side} {name}" for side in ("ON", "OFF") for name in plain]
