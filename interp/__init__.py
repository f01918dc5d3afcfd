"""Attribution: the tokens that drove a language model, and whether the attribution is faithful.

Everything public is imported from here: `from interp import Prompt, owen, faithfulness`. Names that need torch are
imported when they are first used, so `import interp` works without the extra `local`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from interp.attribution import Attribution
from interp.blackbox.counterfactual import (
    Counterfactual,
    OrderChange,
    Replacement,
    single_deletions,
    smallest_deletion,
    smallest_replacement,
)
from interp.blackbox.methods import BLACK_BOX, MethodResult, Words, black_box_method, words_of
from interp.blackbox.owen import owen
from interp.blackbox.perturbation import leave_out, occlusion, permutation_importance
from interp.blackbox.shapley import exact_shapley, kernel_shap, sampled_shapley
from interp.blackbox.swapped_orders import SwappedOrders, matching_units
from interp.blackbox.two_stage import screen_by_groups, screen_then_verify
from interp.document import LAYOUT, Explanation, faithfulness_report
from interp.errors import (
    BadDocument,
    BadOption,
    BadPrompt,
    EmptyCompletion,
    InterpError,
    LabelNotOneToken,
    MissingExtra,
    NoWeights,
    PromptTooLong,
    UnsupportedModel,
)
from interp.evaluation.faithfulness import (
    Faithfulness,
    faithfulness,
    faithfulness_calls,
    infidelity,
    max_sensitivity,
)
from interp.evaluation.map_agreement import MapAgreement, map_agreement
from interp.evaluation.orders import BothOrders, both_orders
from interp.evaluation.uncertainty import content_and_bias, entropy, margin, semantic_consistency, word_overlap
from interp.masks import Floats, Groups, Masks, Value
from interp.notes import NOTES, template_of
from interp.patterns.concepts import concepts
from interp.patterns.probes import linear_probe
from interp.patterns.token_classes import class_weights
from interp.prompt import Prompt, Unit
from interp.render.convergence import convergence, convergence_rounds, orders_of
from interp.render.page import OUTCOMES, fragment, page, style
from interp.whitebox.flow_graph import flow_graph
from interp.whitebox.methods import (
    HEAD_MEASURES,
    WHITE_BOX,
    WhiteBoxMethod,
    head_importance,
    sensitivity_of,
    white_box_scores,
)

if TYPE_CHECKING:
    from interp.whitebox.attention import rollout as rollout
    from interp.whitebox.causal_lm import CausalLM as CausalLM
    from interp.whitebox.classifier import Classifier as Classifier
    from interp.whitebox.encoder_decoder import EncoderDecoder as EncoderDecoder
    from interp.whitebox.flow import flow as flow
    from interp.whitebox.flow import flow_cost as flow_cost
    from interp.whitebox.gradients import gradient_shap as gradient_shap
    from interp.whitebox.gradients import input_x_gradient as input_x_gradient
    from interp.whitebox.gradients import integrated_gradients as integrated_gradients
    from interp.whitebox.gradients import saliency as saliency
    from interp.whitebox.heads import ablation_importance as ablation_importance
    from interp.whitebox.heads import gradient_importance as gradient_importance
    from interp.whitebox.hidden_states import hidden_state as hidden_state
    from interp.whitebox.relevance import attn_lrp as attn_lrp
    from interp.whitebox.relevance import chefer as chefer
    from interp.whitebox.relevance import cp_lrp as cp_lrp
    from interp.whitebox.samples import sample_completions as sample_completions
    from interp.whitebox.samples import token_entropies as token_entropies
    from interp.whitebox.target import Target as Target

_NEEDS_TORCH = {
    "rollout": "interp.whitebox.attention",
    "CausalLM": "interp.whitebox.causal_lm",
    "Classifier": "interp.whitebox.classifier",
    "EncoderDecoder": "interp.whitebox.encoder_decoder",
    "flow": "interp.whitebox.flow",
    "flow_cost": "interp.whitebox.flow",
    "gradient_shap": "interp.whitebox.gradients",
    "input_x_gradient": "interp.whitebox.gradients",
    "integrated_gradients": "interp.whitebox.gradients",
    "saliency": "interp.whitebox.gradients",
    "ablation_importance": "interp.whitebox.heads",
    "gradient_importance": "interp.whitebox.heads",
    "hidden_state": "interp.whitebox.hidden_states",
    "attn_lrp": "interp.whitebox.relevance",
    "chefer": "interp.whitebox.relevance",
    "cp_lrp": "interp.whitebox.relevance",
    "sample_completions": "interp.whitebox.samples",
    "token_entropies": "interp.whitebox.samples",
    "Target": "interp.whitebox.target",
}

__all__ = [
    "BLACK_BOX",
    "HEAD_MEASURES",
    "LAYOUT",
    "NOTES",
    "OUTCOMES",
    "WHITE_BOX",
    "Attribution",
    "BadDocument",
    "BadOption",
    "BadPrompt",
    "BothOrders",
    "CausalLM",
    "Classifier",
    "Counterfactual",
    "EmptyCompletion",
    "EncoderDecoder",
    "Explanation",
    "Faithfulness",
    "Floats",
    "Groups",
    "InterpError",
    "LabelNotOneToken",
    "MapAgreement",
    "Masks",
    "MethodResult",
    "MissingExtra",
    "NoWeights",
    "OrderChange",
    "Prompt",
    "PromptTooLong",
    "Replacement",
    "SwappedOrders",
    "Target",
    "Unit",
    "UnsupportedModel",
    "Value",
    "WhiteBoxMethod",
    "Words",
    "ablation_importance",
    "attn_lrp",
    "black_box_method",
    "both_orders",
    "chefer",
    "class_weights",
    "concepts",
    "content_and_bias",
    "convergence",
    "convergence_rounds",
    "cp_lrp",
    "entropy",
    "exact_shapley",
    "faithfulness",
    "faithfulness_calls",
    "faithfulness_report",
    "flow",
    "flow_cost",
    "flow_graph",
    "fragment",
    "gradient_importance",
    "gradient_shap",
    "head_importance",
    "hidden_state",
    "infidelity",
    "input_x_gradient",
    "integrated_gradients",
    "kernel_shap",
    "leave_out",
    "linear_probe",
    "map_agreement",
    "margin",
    "matching_units",
    "max_sensitivity",
    "occlusion",
    "orders_of",
    "owen",
    "page",
    "permutation_importance",
    "rollout",
    "saliency",
    "sample_completions",
    "sampled_shapley",
    "screen_by_groups",
    "screen_then_verify",
    "semantic_consistency",
    "sensitivity_of",
    "single_deletions",
    "smallest_deletion",
    "smallest_replacement",
    "style",
    "template_of",
    "token_entropies",
    "white_box_scores",
    "word_overlap",
    "words_of",
]


def __getattr__(name: str) -> Any:
    """A public name that needs torch. Raises `MissingExtra` without it."""
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_NEEDS_TORCH[name]), name)
