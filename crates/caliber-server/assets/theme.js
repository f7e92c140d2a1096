// Before anything is painted: light or dark, as the reader chose or as the system says.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.setAttribute("data-bs-theme", chosen);
  };
  apply();
  dark.addEventListener("change", apply);
})();
