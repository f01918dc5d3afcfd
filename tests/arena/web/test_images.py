"""Images of prompts over HTTP: uploaded, private, sent to models that read them, and refused elsewhere."""

from __future__ import annotations

import base64

import pytest

from arena.config import OpenAISettings
from arena.serving.availability import State
from arena.serving.models import serve
from tests.support.arenas import LISTS, PLAIN, ready
from tests.support.battle_clients import api_client, running_app
from tests.support.image_files import huge_header, photograph, png, read, saved, with_place
from tests.support.recording_server import recording_server

IMAGES = "/api/v1/images"
EYES = [PLAIN.model_copy(update={"name": f"eye-{letter}", "images": True}) for letter in "abcd"]


async def upload(client, data=None, media="image/png"):
    return await client.http.post(IMAGES, content=png() if data is None else data, headers={"content-type": media})


async def image_id(client, data=None):
    reply = await upload(client, data)
    assert reply.status_code == 201, reply.text
    return reply.json()["id"]


def models_at(url, *names, images=True):
    serving = serve([OpenAISettings(name=name, endpoint="openai", url=url, images=images) for name in names])
    for model in serving.models.values():
        model.availability.state = State.READY
    return serving


def code(reply):
    return reply.status_code, reply.json().get("code")


async def test_an_upload_is_kept_without_metadata_and_read_by_its_voter_alone(sqlite):
    async with running_app(sqlite, ready(*EYES)) as app, api_client(app) as ann, api_client(app) as bob:
        kept = (await upload(ann, with_place(), "image/png")).json()  # the content decides, not the name or type
        assert (kept["width"], kept["height"]) == (20, 40)
        reply = await ann.http.get(f"{IMAGES}/{kept['id']}")
        assert (len(reply.content), read(reply.content).format) == (kept["bytes"], "PNG")
        assert b"SecretPhone" not in reply.content
        assert reply.headers["content-type"] == "image/png"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in reply.headers["content-security-policy"]
        assert reply.headers["cache-control"].startswith("private")
        assert code(await bob.http.get(f"{IMAGES}/{kept['id']}")) == (404, "not_found")
        assert code(await bob.http.post("/api/v1/battles", json={"prompt": "?", "images": [kept["id"]]})) == (
            422,
            "image_rejected",
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "media", "expected"),
    [
        (b"<svg/>", "image/png", (422, "image_rejected")),
        (huge_header(9_000), "image/png", (422, "image_rejected")),
        (b"", "image/png", (422, "image_rejected")),
        (png(), "application/json", (415, "media_type")),
        (png(), "image/svg+xml", (415, "media_type")),
        (png(), "text/plain", (415, "media_type")),
    ],
)
async def test_what_is_no_image_is_refused(sqlite, data, media, expected):
    async with running_app(sqlite, ready(*EYES)) as app, api_client(app) as ann:
        assert code(await upload(ann, data, media)) == expected


async def test_an_upload_has_a_size_limit_of_its_own(sqlite):
    large = saved(photograph(700, 700), "PNG")
    async with (
        running_app(sqlite, ready(*EYES), web={"max_body_bytes": 10_000, "max_image_bytes": 2_000_000}) as app,
        api_client(app) as ann,
    ):
        assert (await upload(ann, large)).status_code == 201
        assert (await upload(ann, large * 2)).status_code == 413
        assert (await ann.http.post("/api/v1/battles", json={"prompt": "x" * 20_000})).status_code == 413


async def test_an_upload_needs_a_session_and_the_own_page(sqlite):
    async with running_app(sqlite, ready(*EYES)) as app, api_client(app, token=False) as nobody:
        await nobody.http.get("/")
        assert code(await upload(nobody)) == (403, "origin")
        nobody.http.headers["origin"] = "http://other.test"
        assert code(await upload(nobody)) == (403, "origin")
        nobody.http.headers["origin"] = "http://arena.test"
        assert (await upload(nobody)).status_code == 201


async def test_uploads_are_limited(sqlite):
    async with running_app(sqlite, ready(*EYES), limits={"images_per_voter": 2}) as app, api_client(app) as ann:
        assert [(await upload(ann)).status_code for _ in range(3)] == [201, 201, 429]


@pytest.mark.slow
async def test_models_receive_the_images_of_all_turns_as_content_parts(sqlite):
    with recording_server() as server:
        serving = models_at(server.url, "eye-a", "eye-b")
        async with running_app(sqlite, serving) as app, api_client(app) as ann:
            first, second = await image_id(ann), await image_id(ann, png(9, 9, "blue"))
            battle = await ann.begin("What is this?", images=[first])
            await ann.stream(battle["id"])
            assert (await ann.post(battle["id"], "turns", prompt="And this?", images=[second])).status_code == 200
            await ann.stream(battle["id"])
            state = await ann.state(battle["id"])
            kept = [(await ann.http.get(f"{IMAGES}/{image}")).content for image in (first, second)]
    assert [turn["images"] for turn in state["turns"]] == [[first], [second]]
    parts = [
        [
            {"type": "text", "text": text},
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{base64.b64encode(data).decode()}"},
            },
        ]
        for text, data in zip(("What is this?", "And this?"), kept, strict=True)
    ]
    for name in ("eye-a", "eye-b"):
        one, two = (body["messages"] for body in server.of(name))
        assert one == [{"role": "user", "content": parts[0]}]
        assert [message["content"] for message in two] == [parts[0], "A red square.", parts[1]]


@pytest.mark.slow
async def test_an_edited_and_a_regenerated_prompt_keep_their_images(sqlite):
    with recording_server() as server:
        async with running_app(sqlite, models_at(server.url, "eye-a", "eye-b")) as app, api_client(app) as ann:
            battle = (await ann.begin("What?", images=[await image_id(ann)]))["id"]
            await ann.stream(battle)
            await ann.http.put(f"/api/v1/battles/{battle}/turns/last", json={"prompt": "Where?"})
            await ann.stream(battle)
            await ann.post(battle, "regenerate")
            await ann.stream(battle)
            await ann.post(battle, "leave")
    contents = [body["messages"][0]["content"] for body in server.of("eye-a")]
    assert [content[0]["text"] for content in contents] == ["What?", "Where?", "Where?"]
    assert len({content[1]["image_url"]["url"] for content in contents}) == 1


@pytest.mark.slow
async def test_a_blind_battle_with_images_draws_only_models_that_read_them(sqlite):
    async with running_app(sqlite, ready(PLAIN, LISTS, *EYES)) as app, api_client(app) as ann:
        image = await image_id(ann)
        for _ in range(6):
            battle = (await ann.begin("What?", images=[image]))["id"]
            await ann.stream(battle)
            voted = (await ann.post(battle, "vote", winner="tie", final=True)).json()
            assert set(voted["models"].values()) <= {model.name for model in EYES}
        again = await ann.begin("", again=battle)
        assert again["turns"][0]["images"] == [image]


async def test_models_without_eyes_are_refused(sqlite):
    async with running_app(sqlite, ready(PLAIN, LISTS, EYES[0])) as app, api_client(app) as ann:
        facts = (await ann.http.get("/api/v1/arena?models=1")).json()
        assert (facts["limits"]["images"], facts["limits"]["blind_images"]) == (4, 0)
        assert {model["model"] for model in facts["models"] if model["images"]} == {EYES[0].name}
        image = await image_id(ann)
        for more in (
            {},
            {"mode": "single", "models": [PLAIN.name]},
            {"mode": "chosen", "models": [PLAIN.name, EYES[0].name]},
        ):
            reply = await ann.http.post("/api/v1/battles", json={"prompt": "?", "images": [image], **more})
            assert code(reply) == (422, "image_rejected")
        one = await ann.begin("?", images=[image], mode="single", models=[EYES[0].name])
        assert one["can_add_images"]


async def test_an_arena_without_eyes_takes_no_image(sqlite):
    async with running_app(sqlite) as app, api_client(app) as ann:
        assert code(await upload(ann)) == (422, "image_rejected")
        assert (await ann.http.get("/api/v1/arena")).json()["limits"]["images"] == 0


async def test_a_later_image_says_nothing_about_the_models_of_a_blind_battle(sqlite):
    """With some models that read images, a refusal that depended on the drawn ones would name their kind."""
    async with running_app(sqlite, ready(PLAIN, *EYES)) as app, api_client(app) as ann:
        image = await image_id(ann)
        for _ in range(4):
            battle = await ann.begin("?")
            await ann.stream(battle["id"])
            assert not battle["can_add_images"]
            assert code(await ann.post(battle["id"], "turns", prompt="?", images=[image])) == (
                422,
                "image_rejected",
            )


async def test_the_number_of_images_is_limited(sqlite):
    async with running_app(sqlite, ready(*EYES)) as app, api_client(app) as ann:
        images = [await image_id(ann) for _ in range(5)]
        for wrong in (images, [images[0]] * 2, ["unknown"]):
            reply = await ann.http.post("/api/v1/battles", json={"prompt": "?", "images": wrong})
            assert code(reply) == (422, "image_rejected")
        battle = (await ann.begin("?", images=images[:4]))["id"]
        for expected in (200, 422):
            await ann.stream(battle)
            assert (await ann.post(battle, "turns", prompt="?", images=images[:4])).status_code == expected


@pytest.mark.slow
async def test_readers_of_a_shared_battle_see_that_there_were_images_but_not_the_images(sqlite):
    async with running_app(sqlite, ready(*EYES)) as app, api_client(app) as ann, api_client(app) as reader:
        image = await image_id(ann)
        battle = (await ann.begin("?", images=[image]))["id"]
        await ann.stream(battle)
        await ann.post(battle, "vote", winner="tie", final=True)
        await ann.http.put(f"/api/v1/battles/{battle}/shared", json={"shared": True})
        page = await reader.http.get(f"/battles/{battle}")
        assert "With 1 image, which is not published." in page.text
        assert image not in page.text
        assert (await reader.http.get(f"{IMAGES}/{image}")).status_code == 404
