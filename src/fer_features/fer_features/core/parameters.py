"""Parameters of the features node."""

from __future__ import annotations

from fer_common.core.network_links import MAX_AGE, PACE_BY_LINK
from fer_common.core.parameters import (
    COMMON,
    EVERY_FRAME,
    IMAGE_TRANSPORT,
    Parameter,
    ParameterTable,
    Value,
    Values,
    settings,
)
from fer_features.core.alignment import CropGeometry
from fer_features.core.detector import MODELS, DetectorParameters
from fer_features.core.gabor import GaborParameters
from fer_features.core.pipeline import FeatureParameters
from fer_features.core.search import SearchParameters
from fer_features.core.tracker import TrackerParameters

NODE = "features"
MAX_WAVELENGTHS = 8

_DETECTOR = DetectorParameters()
_SEARCH = SearchParameters()
_TRACKER = TrackerParameters()
_GEOMETRY = CropGeometry()
_GABOR = GaborParameters()


def _feature(
    name: str, default: Value, description: str, unit: str, minimum: float, maximum: float
) -> Parameter:
    """Return a parameter that changes what the features are."""
    resets = "nothing here, but networks refuse the features until they are trained with them"
    return Parameter(name, default, description, unit, minimum, maximum, resets=resets)


PARAMETERS = (
    IMAGE_TRANSPORT,
    EVERY_FRAME,
    PACE_BY_LINK,
    MAX_AGE,
    Parameter(
        "stale_after",
        0.8,
        "Diagnostics say STALE when no image has arrived for this long.",
        "s",
        0.1,
        3600.0,
    ),
    Parameter(
        "publish_detections",
        False,
        "Also publish the faces as vision_msgs/Detection2DArray on detections. Needs vision_msgs.",
        live=False,
    ),
    Parameter(
        "publish_hri",
        False,
        "Publish tracked, roi and cropped below /humans/faces (REP-155). Needs hri_msgs.",
        live=False,
    ),
    Parameter("hri.width", 128, "Width of /humans/faces/<id>/cropped.", "px", 16, 1024),
    Parameter("hri.height", 128, "Height of /humans/faces/<id>/cropped.", "px", 16, 1024),
    Parameter(
        "detector.model",
        _DETECTOR.model,
        "Face detector. short_range finds faces of at least an eighth of the width of the image "
        "region; back finds smaller ones at five times the cost.",
        choices=tuple(MODELS),
    ),
    Parameter(
        "detector.score_threshold",
        _DETECTOR.score_threshold,
        "Smallest detector score of a tracked face.",
        "",
        0.05,
        1.0,
    ),
    Parameter(
        "detector.overlap_threshold",
        _DETECTOR.overlap_threshold,
        "Boxes with a larger intersection over union are the same face.",
        "",
        0.05,
        0.95,
    ),
    Parameter(
        "detector.max_faces",
        _DETECTOR.max_faces,
        "Largest number of faces tracked at the same time. Of more faces, the largest are tracked.",
        "",
        1,
        64,
    ),
    Parameter(
        "search.tracked_regions",
        _SEARCH.tracked_regions,
        "Detect tracked faces in regions around their predicted positions. Off: only in the whole "
        "image.",
    ),
    Parameter(
        "search.full_search_period",
        _SEARCH.full_search_period_s,
        "Time between two searches for new faces while faces are tracked. Without tracked faces, "
        "every frame is searched.",
        "s",
        0.0,
        60.0,
    ),
    Parameter(
        "search.small_faces",
        _SEARCH.small_faces,
        "Also search halves of the image, in turn with the whole, to find faces half as large.",
    ),
    Parameter(
        "search.max_windows",
        _SEARCH.max_windows,
        "Largest number of detector runs per frame for tracked faces that are far apart. The other "
        "faces are detected in the next frames. Frames more than 0.1 s apart get more runs.",
        "",
        1,
        64,
    ),
    Parameter(
        "search.look_after",
        _SEARCH.look_after,
        "Process steady faces at their predicted positions, and run the detector after publishing. "
        "This shortens the latency by one detector run.",
    ),
    Parameter(
        "search.hold",
        _SEARCH.hold_s,
        "How long after a run of the detector a steady face is followed by optical flow alone. "
        "0: the detector runs in every frame.",
        "s",
        0.0,
        1.0,
    ),
    Parameter(
        "tracker.new_face_score",
        _TRACKER.new_face_score,
        "Smallest detector score of a new face.",
        "",
        0.05,
        1.0,
    ),
    Parameter(
        "tracker.timeout",
        _TRACKER.timeout_s,
        "A face that was not detected for longer than this, and looked for at least three times, "
        "loses its id.",
        "s",
        0.0,
        60.0,
    ),
    Parameter(
        "tracker.smoothing",
        _TRACKER.smoothing_s,
        "Time constant of the low-pass filter of the landmarks. 0: no filter.",
        "s",
        0.0,
        1.0,
    ),
    _feature(
        "crop.side",
        _GEOMETRY.side_px,
        "Side of the aligned face crop; a multiple of gabor.pool.",
        "px",
        16,
        192,
    ),
    _feature(
        "crop.eye_distance",
        _GEOMETRY.eye_distance,
        "Distance between the eyes in the crop, as a fraction of its side.",
        "",
        0.1,
        0.9,
    ),
    _feature(
        "crop.eye_height",
        _GEOMETRY.eye_height,
        "Distance of the eyes from the upper edge of the crop, as a fraction of its side.",
        "",
        0.1,
        0.9,
    ),
    _feature(
        "retina.surround",
        _GABOR.surround_px,
        "Standard deviation of the Gaussian surround "
        "whose mean brightness divides the crop. 0: no division.",
        "px",
        0.0,
        192.0,
    ),
    _feature(
        "gabor.orientations",
        _GABOR.orientations,
        "Number of orientations of the Gabor filters, evenly over 180 degrees.",
        "",
        1,
        32,
    ),
    _feature(
        "gabor.wavelengths",
        _GABOR.wavelengths_px,
        f"Wavelengths of the Gabor filters, one scale each, at most {MAX_WAVELENGTHS}.",
        "px",
        2.0,
        48.0,
    ),
    _feature(
        "gabor.sigma_ratio",
        _GABOR.sigma_ratio,
        "Standard deviation of the Gaussian window across the bars, in wavelengths.",
        "",
        0.1,
        1.5,
    ),
    _feature(
        "gabor.gamma",
        _GABOR.gamma,
        "Aspect ratio of the Gaussian window: its extent across "
        "the bars divided by that along them.",
        "",
        0.1,
        2.0,
    ),
    _feature(
        "gabor.pool",
        _GABOR.pool,
        "Side of the cells over which the energy is averaged; divides crop.side.",
        "px",
        1,
        48,
    ),
)


def feature_parameters(values: Values) -> FeatureParameters:
    """Return the settings of the core for the values of the node's parameters."""
    side = values["crop.side"]
    return FeatureParameters(
        detector=settings(DetectorParameters, values, "detector."),
        search=settings(SearchParameters, values, "search."),
        tracker=settings(TrackerParameters, values, "tracker."),
        geometry=settings(CropGeometry, values, "crop."),
        gabor=settings(
            GaborParameters, values, "gabor.", crop=side, surround_px=values["retina.surround"]
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
    if len(wavelengths) <= MAX_WAVELENGTHS:
        return None
    return f"gabor.wavelengths has {len(wavelengths)} values: give at most {MAX_WAVELENGTHS}"


TABLE = ParameterTable(NODE, (*PARAMETERS, *COMMON), (_pool_divides_crop, _few_wavelengths))
