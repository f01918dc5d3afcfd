"""Random networks of two layers in the architectures of transformers, built from their configurations.

Nothing is downloaded. Two layers of width 32 have every part that the full size has; what works here and what is
refused does not depend on the size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

DECODER, ENCODER_DECODER, CLASSIFIER = "decoder", "encoder-decoder", "classifier"

SIZES: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
}
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
EXPERTS = {
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
}
LATENT = {
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
    "num_key_value_heads": 4,
    "n_group": 1,
    "topk_group": 1,
}
HEADS = {"head_dim": 8}
DELTA = {
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"],
}
MAMBA = {
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_d_state": 8,
    "mamba_n_groups": 1,
    "mamba_chunk_size": 8,
}
ZAMBA = {
    "num_hidden_layers": 4,
    "mamba_d_state": 8,
    "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"],
}


@dataclass(frozen=True)
class Architecture:
    """A model type of transformers, its tiny sizes, and well-known models of this type."""

    model_type: str
    known_as: str
    sizes: dict[str, Any] = field(default_factory=dict)
    kind: str = DECODER

    def build(self) -> Any:
        """The random network, the same at every call."""
        import torch
        import transformers

        config = transformers.AutoConfig.for_model(self.model_type, **{**SIZES, **self.sizes})
        with torch.random.fork_rng():
            torch.manual_seed(5)
            return _makers()[self.kind].from_config(config).eval()


def _makers() -> dict[str, Any]:
    import transformers

    return {
        DECODER: transformers.AutoModelForCausalLM,
        ENCODER_DECODER: transformers.AutoModelForSeq2SeqLM,
        CLASSIFIER: transformers.AutoModelForSequenceClassification,
    }


DECODERS = (
    Architecture("llama", "Llama 2 and 3, Vicuna, SmolLM2"),
    Architecture("mistral", "Mistral 7B", {"sliding_window": 4, **HEADS}),
    Architecture("ministral3", "Ministral 3", HEADS),
    Architecture("mixtral", "Mixtral 8x7B", EXPERTS),
    Architecture("qwen2", "Qwen 2 and 2.5"),
    Architecture("qwen2_moe", "Qwen1.5 MoE", EXPERTS),
    Architecture("qwen3", "Qwen 3", HEADS),
    Architecture("qwen3_moe", "Qwen 3 MoE", {**HEADS, **EXPERTS}),
    Architecture("qwen3_next", "Qwen3-Next", {**HEADS, **DELTA, **EXPERTS}),
    Architecture("qwen3_5_text", "Qwen 3.5", {**HEADS, **DELTA}),
    Architecture("gemma", "Gemma", HEADS),
    Architecture("gemma2", "Gemma 2", {"query_pre_attn_scalar": 8, "sliding_window": 4, **HEADS}),
    Architecture(
        "gemma3_text",
        "Gemma 3",
        {"query_pre_attn_scalar": 8, "sliding_window": 4, "sliding_window_pattern": 2, **HEADS},
    ),
    Architecture(
        "gemma4_text",
        "Gemma 4",
        {
            "global_head_dim": 8,
            "sliding_window": 4,
            "hidden_size_per_layer_input": 0,
            "vocab_size_per_layer_input": 128,
            "layer_types": ["sliding_attention", "full_attention"],
            "num_kv_shared_layers": 0,
            **HEADS,
        },
    ),
    Architecture("phi", "Phi 1.5 and 2"),
    Architecture("phi3", "Phi 3 and 4"),
    Architecture("phimoe", "Phi 3.5 MoE", EXPERTS),
    Architecture("gpt2", "GPT-2, DialoGPT", GPT),
    Architecture(
        "gpt_neo",
        "GPT-Neo",
        {"num_layers": 2, "num_heads": 4, "attention_types": [[["global", "local"], 1]], "window_size": 4},
    ),
    Architecture("gpt_neox", "Pythia, Dolly, GPT-NeoX"),
    Architecture("gptj", "GPT-J", {**GPT, "rotary_dim": 4}),
    Architecture("codegen", "CodeGen", {**GPT, "rotary_dim": 4}),
    Architecture("gpt_bigcode", "StarCoder, SantaCoder", GPT),
    Architecture("gpt_oss", "gpt-oss", {"sliding_window": 4, **HEADS, **EXPERTS}),
    Architecture("openai-gpt", "GPT", GPT),
    Architecture("opt", "OPT", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    Architecture("bloom", "BLOOM, BLOOMZ", {"n_layer": 2, "n_head": 4}),
    Architecture("falcon", "Falcon 7B", {"multi_query": True}),
    Architecture("mpt", "MPT", {"d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 64}),
    Architecture("stablelm", "StableLM"),
    Architecture("starcoder2", "StarCoder 2"),
    Architecture("olmo", "OLMo"),
    Architecture("olmo2", "OLMo 2"),
    Architecture("olmoe", "OLMoE", EXPERTS),
    Architecture("olmo_hybrid", "OLMo Hybrid", {**DELTA, "linear_num_key_heads": 4, "linear_num_value_heads": 4}),
    Architecture("cohere", "Command R", {"logit_scale": 0.25}),
    Architecture("cohere2", "Command R7B, Command A", {"logit_scale": 0.25, "sliding_window": 4}),
    Architecture(
        "granite",
        "Granite 3",
        {
            "logits_scaling": 4.0,
            "embedding_multiplier": 3.0,
            "residual_multiplier": 0.5,
            "attention_multiplier": 0.3,
        },
    ),
    Architecture("granitemoe", "Granite 3 MoE", {"logits_scaling": 4.0, "embedding_multiplier": 3.0, **EXPERTS}),
    Architecture(
        "granitemoehybrid",
        "Granite 4",
        {
            "logits_scaling": 4.0,
            "layer_types": ["mamba", "attention"],
            "mamba_expand": 2,
            "shared_intermediate_size": 16,
            **MAMBA,
            **EXPERTS,
        },
    ),
    Architecture("deepseek_v2", "DeepSeek V2", {**LATENT, **EXPERTS}),
    Architecture("deepseek_v3", "DeepSeek V3 and R1", {"first_k_dense_replace": 1, **LATENT, **EXPERTS}),
    Architecture("minicpm3", "MiniCPM 3", LATENT),
    Architecture("glm", "GLM 4 9B", HEADS),
    Architecture("glm4", "GLM 4 0414", HEADS),
    Architecture("exaone4", "EXAONE 4", {"sliding_window": 4}),
    Architecture("ernie4_5", "ERNIE 4.5", HEADS),
    Architecture("internlm3", "InternLM 3", HEADS),
    Architecture("seed_oss", "Seed-OSS", HEADS),
    Architecture("smollm3", "SmolLM 3"),
    Architecture("helium", "Helium", HEADS),
    Architecture("nemotron", "Nemotron 4"),
    Architecture("arcee", "AFM"),
    Architecture("apertus", "Apertus"),
    Architecture("persimmon", "Persimmon"),
    Architecture("biogpt", "BioGPT"),
    Architecture("xglm", "XGLM", {"d_model": 32, "ffn_dim": 48, "num_layers": 2, "attention_heads": 4}),
    Architecture("modernbert-decoder", "Ettin", {"local_attention": 8}),
    Architecture(
        "llama4_text", "Llama 4", {"intermediate_size_mlp": 48, "attention_chunk_size": 8, **HEADS, **EXPERTS}
    ),
    Architecture(
        "minimax",
        "MiniMax 01",
        {"layer_types": ["linear_attention", "full_attention"], "block_size": 8, **HEADS, **EXPERTS},
    ),
    Architecture("lfm2", "LFM 2", {"layer_types": ["conv", "full_attention"], "block_ff_dim": 48}),
    Architecture("bamba", "Bamba", {"attn_layer_indices": [1], **MAMBA}),
    Architecture(
        "jamba",
        "Jamba",
        {
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "expert_layer_period": 2,
            "expert_layer_offset": 1,
            "mamba_d_state": 8,
            "mamba_dt_rank": 4,
            "use_mamba_kernels": False,
            **EXPERTS,
        },
    ),
    Architecture(
        "zamba",
        "Zamba",
        {
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "n_mamba_heads": 2,
            "use_mamba_kernels": False,
            **ZAMBA,
        },
    ),
    Architecture(
        "zamba2",
        "Zamba 2",
        {
            "n_mamba_heads": 4,
            "mamba_headdim": 16,
            "mamba_ngroups": 1,
            "chunk_size": 8,
            "use_mem_eff_path": False,
            "num_mem_blocks": 1,
            "use_shared_attention_adapter": False,
            **ZAMBA,
        },
    ),
    Architecture(
        "falcon_h1",
        "Falcon-H1",
        {"mamba_d_ssm": 64, "lm_head_multiplier": 0.7, "embedding_multiplier": 2.0, **MAMBA, **HEADS},
    ),
    Architecture(
        "nemotron_h",
        "Nemotron-H",
        {
            "layers_block_type": ["mamba", "attention", "mlp"],
            "num_hidden_layers": 3,
            "mamba_num_heads": 4,
            "mamba_head_dim": 16,
            "ssm_state_size": 8,
            "n_groups": 1,
            "chunk_size": 8,
            **HEADS,
        },
    ),
    Architecture("mamba", "Mamba", {"state_size": 8}),
    Architecture("mamba2", "Mamba 2", {"state_size": 8, "num_heads": 8, "n_groups": 1, "chunk_size": 8, **HEADS}),
    Architecture("falcon_mamba", "Falcon Mamba", {"state_size": 8}),
    Architecture(
        "recurrent_gemma",
        "RecurrentGemma",
        {
            "lru_width": 32,
            "block_types": ["recurrent", "attention"],
            "attention_window_size": 8,
            "num_key_value_heads": 1,
            **HEADS,
        },
    ),
    Architecture("rwkv", "RWKV 4", {"context_length": 64, "attention_hidden_size": 32}),
    Architecture("xlstm", "xLSTM", {"num_blocks": 2, "num_heads": 4, "embedding_dim": 32, "chunk_size": 8}),
)

T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
BART = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "decoder_start_token_id": 1,
    "scale_embedding": True,
    "init_std": 0.2,
}

ENCODER_DECODERS = tuple(
    Architecture(model_type, known_as, sizes, ENCODER_DECODER)
    for model_type, known_as, sizes in (
        ("t5", "T5, Flan-T5", T5),
        ("mt5", "mT5, mT0", T5),
        ("umt5", "UMT5", T5),
        ("longt5", "LongT5", {**T5, "local_radius": 4}),
        (
            "switch_transformers",
            "Switch",
            {**T5, "num_experts": 4, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1},
        ),
        ("bart", "BART", BART),
        ("mbart", "mBART", BART),
        ("pegasus", "PEGASUS", BART),
        ("marian", "OPUS-MT", BART),
        ("blenderbot", "BlenderBot", BART),
        ("m2m_100", "M2M100, NLLB", BART),
        (
            "led",
            "LED",
            {
                **BART,
                "attention_window": [4, 4],
                "max_encoder_position_embeddings": 64,
                "max_decoder_position_embeddings": 64,
            },
        ),
    )
)

THREE, ONE = {"num_labels": 3}, {"num_labels": 1}
CLASSIFIERS = tuple(
    Architecture(model_type, known_as, sizes, CLASSIFIER)
    for model_type, known_as, sizes in (
        ("bert", "BERT", THREE),
        ("roberta", "RoBERTa", THREE),
        ("distilbert", "DistilBERT", {**THREE, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}),
        ("electra", "ELECTRA", {**THREE, "embedding_size": 32}),
        ("albert", "ALBERT", {**THREE, "embedding_size": 32}),
        ("mpnet", "MPNet", THREE),
        ("deberta", "DeBERTa", THREE),
        ("deberta-v2", "DeBERTa v3, OpenAssistant's reward model", ONE),
        ("modernbert", "ModernBERT", {**THREE, "local_attention": 8, "global_attn_every_n_layers": 2}),
        ("llama", "reward models on Llama: Skywork, Tulu, FsfairX", ONE),
        ("qwen2", "reward models on Qwen 2", ONE),
        ("qwen3", "reward models on Qwen 3", {**ONE, **HEADS}),
        ("gemma2", "reward models on Gemma 2", {**ONE, "query_pre_attn_scalar": 8, "sliding_window": 4, **HEADS}),
        ("mistral", "reward models on Mistral", {**ONE, "sliding_window": 4, **HEADS}),
        ("gpt_neox", "reward models on Pythia", ONE),
        ("bart", "BART with labels", {**THREE, **BART}),
    )
)
