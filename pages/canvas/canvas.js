// Streamlit's entry: mounts a module of ours (the workbench, the stopwatch) once per place on the page, and unmounts it
// when the place goes.
// Everything else is an ordinary module under /canvas/{version}/, so browsers cache and debuggers show it.

/** @type {WeakMap<Node, {update: Function, unmount: Function}>} */
const mounted = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const hooks = {
    byHand: (asked) => setTriggerValue("by_hand", asked),
    times: (times) => setStateValue("times", times),
  };
  let place = mounted.get(parentElement);
  if (place) {
    place.update(data, hooks);
  } else {
    place = mount(parentElement, data, hooks);
    mounted.set(parentElement, place);
  }
  return () => {
    mounted.delete(parentElement);
    place.unmount();
  };
}

/** Load the module and mount into `parent`; calls that come meanwhile wait their turn. */
function mount(parent, data, hooks) {
  let gone = false;
  const root = parent.querySelector(".ms-root");
  const started = import(new URL(data.module, location.href).href).then((main) =>
    gone ? null : main.mount(root, data, hooks),
  );
  started.catch((error) => {
    root.style.padding = "80px 24px"; // below the page's navigation, which lies over the page
    root.textContent = `A part of this page could not be loaded (${error.message}). Reload the page.`;
  });
  return {
    update: (next, nextHooks) => started.then((bench) => bench?.update(next, nextHooks)),
    unmount: () => {
      gone = true;
      started.then((bench) => bench?.unmount());
    },
  };
}
