"""Parameters of the features node: the one place where their defaults and ranges stand."""

from __future__ import annotations

from typing import Any

from fer_common.core.network_links import MAX_AGE, PACE_BY_LINK
from fer_common.core.parameters import (
    COMMON,
    EVERY_FRAME,
    IMAGE_TRANSPORT,
    Parameter,
    ParameterTable,
    Values,
)
from fer_features.core.alignment import CropGeometry
from fer_features.core.detector import MODELS, DetectorParameters
from fer_features.core.gabor import GaborParameters
from fer_features.core.pipeline import FeatureParameters
from fer_features.core.search import SearchParameters
from fer_features.core.tracker import TrackerParameters

NODE = "features"
MOST_WAVELENGTHS = 8

_OTHER_FEATURES = "nothing here; but networks refuse the features until they have learnt with them"

_DETECTOR = DetectorParameters()
_SEARCH = SearchParameters()
_TRACKER = TrackerParameters()
_GEOMETRY = CropGeometry()
_GABOR = GaborParameters()

PARAMETERS = (
    IMAGE_TRANSPORT,
    EVERY_FRAME,
    PACE_BY_LINK,
    MAX_AGE,
    Parameter(
        "stale_after",
        0.8,
        "Diagnostics say STALE when no image came for this long.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
    ),
    Parameter(
        "publish_detections",
        False,
        "Publish the faces as vision_msgs/Detection2DArray on detections too; needs vision_msgs.",
        live=False,
    ),
    Parameter(
        "publish_hri",
        False,
        "Publish tracked, roi and cropped below /humans/faces as REP-155 says; needs hri_msgs.",
        live=False,
    ),
    Parameter(
        "hri.width",
        128,
        "Width of the pictures on /humans/faces/<id>/cropped.",
        unit="px",
        minimum=16,
        maximum=1024,
    ),
    Parameter(
        "hri.height",
        128,
        "Height of the pictures on /humans/faces/<id>/cropped.",
        unit="px",
        minimum=16,
        maximum=1024,
    ),
    Parameter(
        "detector.model",
        _DETECTOR.model,
        "Face detector: short_range finds faces from an eighth of the width that it looks at on, "
        "back smaller ones at five times the cost.",
        choices=tuple(MODELS),
    ),
    Parameter(
        "detector.score_threshold",
        _DETECTOR.score_threshold,
        "Smallest detector score of a face that is followed.",
        minimum=0.05,
        maximum=1.0,
    ),
    Parameter(
        "detector.overlap_threshold",
        _DETECTOR.overlap_threshold,
        "Boxes that share more of their union than this are one face.",
        minimum=0.05,
        maximum=0.95,
    ),
    Parameter(
        "detector.max_faces",
        _DETECTOR.max_faces,
        "Most faces that are followed at a time.",
        minimum=1,
        maximum=64,
    ),
    Parameter(
        "search.tracked_regions",
        _SEARCH.tracked_regions,
        "Look for followed faces around where they are expected. Off: only in the whole of every "
        "frame.",
    ),
    Parameter(
        "search.full_search_period",
        _SEARCH.full_search_period_s,
        "Time between two searches for new faces while faces are followed. Without any, every "
        "frame is searched.",
        unit="s",
        minimum=0.0,
        maximum=60.0,
    ),
    Parameter(
        "search.small_faces",
        _SEARCH.small_faces,
        "Search halves of the picture too, in turn with the whole, to find faces half as large.",
    ),
    Parameter(
        "search.max_windows",
        _SEARCH.max_windows,
        "Most detector runs in a frame for followed faces that are far apart; those left out take "
        "their turn in the next frames.",
        minimum=1,
        maximum=64,
    ),
    Parameter(
        "search.look_after",
        _SEARCH.look_after,
        "Describe faces that hold still where they are expected and look for them afterwards: "
        "answers come sooner by a run of the detector.",
    ),
    Parameter(
        "tracker.new_face_score",
        _TRACKER.new_face_score,
        "Smallest detector score at which a new face gets an id.",
        minimum=0.05,
        maximum=1.0,
    ),
    Parameter(
        "tracker.timeout",
        _TRACKER.timeout_s,
        "A face that was not seen for longer than this loses its id.",
        unit="s",
        minimum=0.0,
        maximum=60.0,
    ),
    Parameter(
        "tracker.smoothing",
        _TRACKER.smoothing_s,
        "Time constant over which the landmarks are smoothed. 0: as detected.",
        unit="s",
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "crop.side",
        _GEOMETRY.side_px,
        "Side of the aligned face crop; a multiple of gabor.pool.",
        unit="px",
        minimum=16,
        maximum=192,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "crop.eye_distance",
        _GEOMETRY.eye_distance,
        "Distance between the eyes in the crop, as a part of its side.",
        minimum=0.1,
        maximum=0.9,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "crop.eye_height",
        _GEOMETRY.eye_height,
        "Distance of the eyes from the upper edge of the crop, as a part of its side.",
        minimum=0.1,
        maximum=0.9,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "retina.surround",
        _GABOR.surround_px,
        "Standard deviation of the surround whose mean light the crop is divided by. 0: none.",
        unit="px",
        minimum=0.0,
        maximum=192.0,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "gabor.orientations",
        _GABOR.orientations,
        "Number of orientations of the Gabor filters, evenly over half a turn.",
        minimum=1,
        maximum=32,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "gabor.wavelengths",
        _GABOR.wavelengths_px,
        f"Wavelengths of the Gabor filters, one scale for each, at most {MOST_WAVELENGTHS}.",
        unit="px",
        minimum=2.0,
        maximum=48.0,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "gabor.sigma_ratio",
        _GABOR.sigma_ratio,
        "Standard deviation of the Gabor window across its bars, in wavelengths.",
        minimum=0.1,
        maximum=1.5,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "gabor.gamma",
        _GABOR.gamma,
        "Aspect of the Gabor window: its extent across the bars over that along them.",
        minimum=0.1,
        maximum=2.0,
        resets=_OTHER_FEATURES,
    ),
    Parameter(
        "gabor.pool",
        _GABOR.pool,
        "Side of the cells over which the energy is averaged; divides crop.side.",
        unit="px",
        minimum=1,
        maximum=48,
        resets=_OTHER_FEATURES,
    ),
)


def feature_parameters(values: Values) -> FeatureParameters:
    """Return the settings of the core that belong to the values of the node's parameters."""
    given: Any = values
    return FeatureParameters(
        detector=DetectorParameters(
            model=given["detector.model"],
            score_threshold=given["detector.score_threshold"],
            overlap_threshold=given["detector.overlap_threshold"],
            max_faces=given["detector.max_faces"],
        ),
        search=SearchParameters(
            tracked_regions=given["search.tracked_regions"],
            full_search_period_s=given["search.full_search_period"],
            small_faces=given["search.small_faces"],
            max_windows=given["search.max_windows"],
            look_after=given["search.look_after"],
        ),
        tracker=TrackerParameters(
            new_face_score=given["tracker.new_face_score"],
            timeout_s=given["tracker.timeout"],
            smoothing_s=given["tracker.smoothing"],
        ),
        geometry=CropGeometry(
            side_px=given["crop.side"],
            eye_distance=given["crop.eye_distance"],
            eye_height=given["crop.eye_height"],
        ),
        gabor=GaborParameters(
            orientations=given["gabor.orientations"],
            wavelengths_px=given["gabor.wavelengths"],
            sigma_ratio=given["gabor.sigma_ratio"],
            gamma=given["gabor.gamma"],
            pool=given["gabor.pool"],
            crop=given["crop.side"],
            surround_px=given["retina.surround"],
        ),
    )


def _pool_divides_crop(values: Values) -> str | None:
    side, pool = values["crop.side"], values["gabor.pool"]
    assert isinstance(side, int) and isinstance(pool, int)
    if side % pool == 0:
        return None
    return f"gabor.pool {pool} does not divide crop.side {side}: choose a divisor"


def _few_wavelengths(values: Values) -> str | None:
    wavelengths = values["gabor.wavelengths"]
    assert isinstance(wavelengths, tuple)
    if len(wavelengths) <= MOST_WAVELENGTHS:
        return None
    return f"gabor.wavelengths has {len(wavelengths)} values: give at most {MOST_WAVELENGTHS}"


TABLE = ParameterTable(NODE, (*PARAMETERS, *COMMON), (_pool_divides_crop, _few_wavelengths))
