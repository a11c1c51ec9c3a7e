"""object.js, history.js and the two together: undo goes back to nothing and redo comes back to the same."""

from playwright.sync_api import Page

RANDOM_WALK = """async ([seed, length]) => {
  const objects = await import('/object.js');
  const { History } = await import('/history.js');
  let state = seed;
  const random = (n) => { state = (state * 1103515245 + 12345) & 0x7fffffff; return state % n; };
  const actions = [
    (o) => objects.addPoint(o, { x: random(99), y: random(99), label: random(2), at: random(9) }, null),
    (o) => (o.points.length ? objects.movePoint(o, random(o.points.length), random(99), random(99)) : o),
    (o) => (o.points.length ? objects.removePoint(o, random(o.points.length)) : o),
    (o) => objects.setBox(o, { x0: 1, y0: 1, x1: 5 + random(50), y1: 9, at: 1 }, 'token'),
    (o) => objects.choose(o, random(3)),
    (o) => objects.addEdit(o, { kind: 'brush', size: 1 + random(9), path: [random(9), random(9)], at: 2 }),
    (o) => objects.setLabel(o, 'label ' + random(4)),
    () => objects.fresh(),
  ];
  const history = new History();
  const first = objects.fresh();
  let now = first;
  const seen = [JSON.stringify(now)];
  for (let i = 0; i < length; i++) {
    const after = actions[random(actions.length)](now);
    history.push({ before: now, after });
    now = after;
    seen.push(JSON.stringify(now));
  }
  const back = [];
  for (let step = history.undo(); step; step = history.undo()) { now = step.before; back.push(JSON.stringify(now)); }
  const emptied = now === first;
  const forth = [];
  for (let step = history.redo(); step; step = history.redo()) { now = step.after; forth.push(JSON.stringify(now)); }
  return { seen, back, forth, emptied };
}"""


def test_undo_to_nothing_and_redo_to_the_same(pure_page: Page) -> None:
    for seed in range(1, 20):
        walk = pure_page.evaluate(RANDOM_WALK, [seed, 40])
        assert walk["emptied"]
        assert walk["back"] == walk["seen"][-2::-1]
        assert walk["forth"] == walk["seen"][1:]


def test_a_new_step_ends_what_could_be_redone(pure_page: Page) -> None:
    found = pure_page.evaluate(
        """async () => {
          const { History } = await import('/history.js');
          const history = new History(3);
          for (const step of [1, 2, 3, 4]) history.push(step);
          const undone = [history.undo(), history.undo()];
          history.push(9);
          return { undone, redo: history.redo(), left: [history.undo(), history.undo(), history.undo()] };
        }"""
    )
    assert found == {"undone": [4, 3], "redo": None, "left": [9, 2, None]}


def test_equal_prompts_have_equal_names_and_others_do_not(pure_page: Page) -> None:
    found = pure_page.evaluate(
        """async () => {
          const o = await import('/object.js');
          const point = (x, at) => ({ x, y: 2, label: 1, at });
          const a = o.addPoint(o.fresh(), point(1, 10), null);
          const same = o.addPoint(o.fresh(), point(1, 99), null);
          const moved = o.movePoint(a, 0, 3, 2);
          const chosen = o.choose(a, 2);
          const painted = o.addEdit(a, { kind: 'brush', size: 3, path: [1, 1], at: 1 });
          const refined = o.addPoint(o.fresh(), point(1, 10), 'token');
          return [a, same, moved, chosen, painted, refined, o.fresh()].map(o.promptKey);
        }"""
    )
    a, same, moved, chosen, painted, refined, nothing = found
    assert a == same == chosen == painted
    assert len({a, moved, refined, nothing}) == 4
    assert nothing == ""


def test_an_object_survives_being_kept_as_json(pure_page: Page) -> None:
    found = pure_page.evaluate(
        """async () => {
          const o = await import('/object.js');
          let object = o.addPoint(o.fresh(), { x: 1.5, y: 2, label: 0, at: 3 }, 'token');
          object = o.setBox(object, { x0: 1, y0: 2, x1: 3, y1: 4, at: 5 }, 'other');
          object = o.addEdit(o.choose(object, 1), { kind: 'clean', below: null, islands: true, holes: false, at: 6 });
          const back = o.fromState(JSON.parse(JSON.stringify(object)));
          return [JSON.stringify(object), JSON.stringify(back), o.stepsTo(back).length];
        }"""
    )
    assert found[0] == found[1]
    assert found[2] == 3


def test_hostile_drafts_are_no_objects_or_lose_what_is_wrong(pure_page: Page) -> None:
    found = pure_page.evaluate(
        """async () => {
          const { fromState, isEmpty } = await import('/object.js');
          const bad = [null, 7, 'x', {}, { key: 5 }, { key: '' }].map((state) => fromState(state));
          const point = { x: null, y: 1, label: 1, at: 0 };
          const edit = { kind: 'brush', size: 0, path: [1], at: 0 };
          const mended = fromState({ key: 'k', points: [point, 3], edits: [edit, null], box: { x0: 'a' }, chosen: -4 });
          return [bad, isEmpty(mended), mended.chosen];
        }"""
    )
    assert found == [[None] * 6, True, 0]
