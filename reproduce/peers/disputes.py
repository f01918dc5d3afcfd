"""Four disputes for a small judge: short requests, two completions, a verdict of one letter."""

DISPUTES = (
    {
        "prompt": "Why is the sky blue?",
        "a": "Air molecules scatter short wavelengths of sunlight much more strongly than long ones. Blue light "
        "reaches our eyes from every part of the sky, so the sky looks blue.",
        "b": "The sky is blue because it reflects the ocean. Water is blue, and most of the Earth is covered with "
        "it. That is also why sunsets are red: the land is reflected then.",
    },
    {
        "prompt": "Give me three tips to sleep better.",
        "a": "1. Go to bed at the same hour every day.\n2. Put the phone away an hour before.\n3. Keep the room "
        "cool and dark.",
        "b": "Sleeping well is very important for your health! There are many things one could do, and everybody "
        "is different. Try some tea, some music or a long walk, and see what works for you.",
    },
    {
        "prompt": "What is the capital of Australia?",
        "a": "Sydney is the capital of Australia. It is its largest city and known for the opera house.",
        "b": "The capital of Australia is Canberra. It was chosen in 1908 as a compromise between Sydney and "
        "Melbourne.",
    },
    {
        "prompt": "Explain in one paragraph what inflation does to savings.",
        "a": "Inflation means that prices rise, so the same amount of money buys less each year. Savings in cash "
        "lose value unless the interest that the bank pays is at least as high as inflation.",
        "b": "Inflation is when money grows. If you keep savings in a bank they inflate and you have more of "
        "them, which is good for you. Banks are very safe places and you should always use one.",
    },
)
INSTRUCTIONS = "You compare two answers to the same request and name the better one with a single letter, A or B."


def parts(dispute, swapped=False):
    """(segment, text) parts of the judge's prompt in ChatML; swapped, completion b stands first."""
    first, second = ("b", "a") if swapped else ("a", "b")
    return (
        (None, f"<|im_start|>system\n{INSTRUCTIONS}<|im_end|>\n<|im_start|>user\nRequest:\n"),
        ("prompt", dispute["prompt"]),
        (None, "\n\nAnswer A:\n"),
        (f"completion_{first}", dispute[first]),
        (None, "\n\nAnswer B:\n"),
        (f"completion_{second}", dispute[second]),
        (None, "\n\nWhich answer serves the person better, A or B? Reply with the letter alone.<|im_end|>\n"),
        (None, "<|im_start|>assistant\nAnswer:"),
    )
