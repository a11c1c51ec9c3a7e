"""Roles, passwords, attempts, people, and servers that refuse to be open to everybody."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from core import annotating, auditing, feedback, jobs, passwords, people, projects, reviewing, sign_in, team
from core import library as library_
from core import masks as pixels
from core.attempts import Attempts
from core.errors import Conflict, Forbidden, InvalidInput
from core.roles import LEAST, ROLES, Permission, check_role, holders, require
from core.settings import Settings, from_environment
from core.workshop import Library, choose_model, open_library
from storage.types import now
from tests.conftest import square
from tests.core.conftest import accept

pytestmark = pytest.mark.both_databases


def as_role(library: Library, role: str) -> Library:
    """Return the library in the hands of a new person of a role."""
    person_id, _ = people.add(library, f"a {role}", role, "a long password")
    return library.for_person(person_id, check_role(role))


def test_each_role_may_do_what_those_before_it_may() -> None:
    reach = [{permission for permission in LEAST if role in holders(permission)} for role in ROLES]
    assert all(less < more for less, more in pairwise(reach))
    assert reach[-1] == set(LEAST)


@pytest.mark.parametrize("permission", LEAST)
def test_a_permission_is_refused_below_its_role(library: Library, permission: Permission) -> None:
    least = ROLES.index(LEAST[permission])
    for place, role in enumerate(ROLES):
        view = library.for_person(1, role)
        if place >= least:
            require(view, permission)
        else:
            with pytest.raises(Forbidden, match=f"must be {LEAST[permission]} or above for this, but it is {role}"):
                require(view, permission)


def test_core_refuses_what_a_page_would_not_offer(stocked: Library) -> None:
    mask_id = accept(stocked, "a", square()).mask_id
    annotator, reviewer = as_role(stocked, "annotator"), as_role(stocked, "reviewer")
    manager = as_role(stocked, "manager")
    verdict = reviewing.Verdict(mask_id, "approve")
    for action in (
        lambda: reviewing.give(annotator, "k", verdict),
        lambda: reviewing.take_back(annotator, 1),
        lambda: auditing.begin(annotator, auditing.Asked()),
        lambda: library_.delete(reviewer, [1]),
        lambda: projects.change_settings(reviewer, {"min_area": 5}),
        lambda: choose_model(reviewer, "starter", None),
        lambda: jobs.begin(reviewer, start=False),
        lambda: jobs.cancel(reviewer, 1),
        lambda: team.members(reviewer, at=now()),
        lambda: team.happened(reviewer, limit=5),
        lambda: people.every(manager),
        lambda: people.add(manager, "x", "owner", "a long password"),
        lambda: people.set_role(manager, manager.person_id, "owner"),
        lambda: people.set_password(manager, 1, "a long password"),
        lambda: people.deactivate(manager, 1),
        lambda: people.reactivate(manager, 1),
        lambda: people.sign_out(manager, 1),
    ):
        with pytest.raises(Forbidden):
            action()
    assert reviewing.give(reviewer, "k", verdict) == 1
    assert library_.delete(manager, [3]) == 1


def test_a_library_opened_here_acts_for_its_owner(library: Library) -> None:
    (owner,) = people.every(library)
    assert (owner.id, owner.name, owner.role, library.role) == (library.person_id, "owner", "owner", "owner")


def test_nobody_reviews_their_own_masks_once_there_is_another_reviewer(stocked: Library) -> None:
    mask_id = accept(stocked, "a", square()).mask_id
    as_role(stocked, "annotator")
    assert reviewing.next_mask(stocked, "unreviewed") == mask_id  # an annotator cannot review it
    rita = as_role(stocked, "reviewer")
    assert reviewing.next_mask(stocked, "unreviewed") is None
    assert reviewing.next_mask(rita, "unreviewed") == mask_id
    people.deactivate(stocked, rita.person_id)
    assert reviewing.next_mask(stocked, "unreviewed") == mask_id


def test_annotators_are_told_of_their_own_masks(stocked: Library) -> None:
    anna, rita = as_role(stocked, "annotator"), as_role(stocked, "reviewer")
    others, own = accept(stocked, "a", square()).mask_id, accept(anna, "b", square(60)).mask_id
    for mask_id in (others, own):
        reviewing.give(rita, f"k{mask_id}", reviewing.Verdict(mask_id, "send_back"))
    assert [task.mask.id for _, task in reviewing.sent_back(anna, limit=9)] == [own]
    assert [task.mask.id for _, task in reviewing.sent_back(rita, limit=9)] == [others, own]
    assert feedback.feedback(anna, anna.person_id, today=now()).weeks[-1].reviewed == 1


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 257])
def test_a_password_is_neither_short_nor_endless(library: Library, password: str) -> None:
    with pytest.raises(InvalidInput, match=rf"from 12 to 256 characters, got {len(password)}$"):
        people.add(library, "Ada", "annotator", password)
    assert len(people.every(library)) == 1


def test_a_password_is_the_same_however_its_letters_are_written() -> None:
    kept = passwords.hashed("Ma\u0308rchenstunde 1")
    assert kept.startswith("$argon2id$")
    assert passwords.matches("M\u00e4rchenstunde 1", kept)
    assert not passwords.matches("Marchenstunde 1", kept)
    assert not passwords.matches("anything", None)


def test_made_up_passwords_differ_and_can_be_used() -> None:
    made = {passwords.made_up() for _ in range(50)}
    assert len(made) == 50
    for one in made:
        passwords.check(one)


def test_attempts_are_let_through_again_as_they_grow_old() -> None:
    clock = [0.0]
    attempts = Attempts(2, 60, lambda: clock[0])
    assert [attempts.take("a"), attempts.take("a"), attempts.take("b")] == [0, 0, 0]
    clock[0] = 10
    assert attempts.take("a") == 50
    clock[0] = 60
    assert attempts.take("a") == 0
    attempts.forget("a")
    assert [attempts.take("a"), attempts.take("a")] == [0, 0]
    assert attempts.take("a") > 0
    attempts.forgive("a")
    assert attempts.take("a") == 0


def test_attempts_of_endless_names_fit_into_memory() -> None:
    attempts = Attempts(1, 60)
    for number in range(10_100):
        attempts.take(str(number))
    assert len(attempts._times) == 10_000
    assert attempts.take("10099") > 0


@pytest.mark.parametrize(("name", "got"), [("", "''"), ("   ", "'   '"), ("a\x00b", "'a"), ("x" * 61, "'xx")])
def test_a_name_can_be_read(library: Library, name: str, got: str) -> None:
    with pytest.raises(InvalidInput, match=f"from 1 to 60 printable characters, got {got}"):
        people.add(library, name, "annotator", "a long password")


def test_a_name_is_one_persons(library: Library) -> None:
    people.add(library, "Ada  Lovelace", "annotator", "a long password")
    with pytest.raises(Conflict, match="there is somebody named 'Ada Lovelace'"):
        people.add(library, " Ada Lovelace ", "reviewer", "a long password")


def test_an_owner_who_can_sign_in_is_always_left(library: Library) -> None:
    people.set_password(library, library.person_id, "a long password")
    bea, _ = people.add(library, "Bea", "owner", "a long password")
    people.set_role(library, library.person_id, "annotator")
    for action in (lambda: people.deactivate(library, bea), lambda: people.set_role(library, bea, "manager")):
        with pytest.raises(Conflict, match="an owner with a password must be left, but there is none besides 'Bea'"):
            action()
    people.set_role(library, library.person_id, "owner")
    people.deactivate(library, bea)
    with pytest.raises(Conflict, match="besides 'owner'"):
        people.deactivate(library, library.person_id)


def test_who_did_what_to_whom_is_kept(library: Library) -> None:
    person_id, _ = people.add(library, "Ada", "annotator")
    people.set_role(library, person_id, "reviewer")
    people.set_role(library, person_id, "reviewer")  # changes nothing, is told of nothing
    people.deactivate(library, person_id)
    told = team.happened(library, limit=10)
    assert [one.kind for one in told[:3]] == ["deactivated", "role", "person_added"]
    assert told[1].detail == {"whom": person_id, "name": "Ada", "role": "reviewer", "before": "annotator"}
    assert {one.person for one in told[:3]} == {"owner"}
    assert team.happened(library, limit=1, before=told[1].id)[0].kind == "person_added"
    assert team.happened(library, limit=9, person_id=person_id) == []


def test_the_team_is_told_by_what_it_made_and_works_on(stocked: Library) -> None:
    anna = as_role(stocked, "annotator")
    times = {"thinking_ms": 4000, "prompting_ms": 2000}
    for key in ("x", "y"):
        accept(stocked, key, square())
    made = annotating.Accepted(pixels.encode(square()), object_key="o", times=times)
    annotating.accept(anna, 1, "mine", made)
    annotating.accept(anna, 1, "gone", replace(made, object_key="p"))
    annotating.delete_mask(anna, "gone")
    annotating.keep_work(anna, 2, "q", {})
    owner, found = team.members(stocked, at=now())
    assert (owner.person.masks, owner.work, owner.person.seen_at) == (2, None, None)
    assert (found.person.masks, found.seconds) == (1, 6.0)
    assert found.work is not None
    assert found.work.image == "photo-2.png"
    assert team.oneself(anna, at=now()).masks == 1
    later = team.members(stocked, at=now() + team.NOW * 2)[1]
    assert (later.work, later.person.masks) == (None, 1)
    assert team.members(stocked, at=now() + timedelta(days=8))[1].person.masks == 0


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.7.9", None, "example.org"])
def test_a_server_that_others_reach_must_know_them(settings: Settings, address: str | None) -> None:
    says = f"must listen on 127.0.0.1 until people must sign in, got {address or 'every address'}"
    with pytest.raises(InvalidInput, match=says):
        sign_in.refuse_open_doors(settings, address)
    sign_in.refuse_open_doors(replace(settings, sign_in=True), address)
    library = open_library(settings, samples=False)
    people.set_password(library, library.person_id, "a long password")
    library.close()
    sign_in.refuse_open_doors(settings, address)


def test_a_server_with_a_proxys_name_must_know_them_too(settings: Settings) -> None:
    sign_in.refuse_open_doors(settings, "127.0.0.1")
    assert not settings.data.exists()  # alone nothing needs to be looked up
    with pytest.raises(InvalidInput, match=r"names in MASKSMITH_HOSTS, got masks\.example"):
        sign_in.refuse_open_doors(replace(settings, hosts=("masks.example",)), "127.0.0.1")


def test_the_setting_is_on_or_left_alone() -> None:
    assert from_environment({"MASKSMITH_SIGN_IN": "on"}).sign_in
    assert not from_environment({}).sign_in
    with pytest.raises(InvalidInput, match="MASKSMITH_SIGN_IN must be on or auto, got 'off'"):
        from_environment({"MASKSMITH_SIGN_IN": "off"})
