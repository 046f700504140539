/** The views of the page, one at a time: its address says which, as in #reports. */

import { byId, setAttribute, setShown } from "./base/elements.js";

export const VIEWS = ["today", "reports", "system", "help"];

/** Shows the view in the address, and calls `onShow` with its name now and whenever it changes. @param {(view: string) => void} onShow */
export function followAddress(onShow) {
  const show = () => {
    const wanted = location.hash.slice(1).split("?")[0];
    const current = VIEWS.includes(wanted) ? wanted : VIEWS[0];
    for (const view of VIEWS) {
      setShown(byId(view), view === current);
      setAttribute(byId(`to-${view}`), "aria-current", view === current ? "page" : null);
    }
    onShow(current);
  };
  addEventListener("hashchange", () => {
    show();
    scrollTo(0, 0);
  });
  show();
}
