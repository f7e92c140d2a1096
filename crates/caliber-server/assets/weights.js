// Sliders whose sum stays 100: what one takes, the others give in proportion, in whole steps.

const TOTAL = 100;

/** Whole numbers with the proportions of `parts` and the sum `total`, by the largest remainder. */
export function apportion(parts, total) {
  const sum = parts.reduce((a, b) => a + b, 0);
  const exact = parts.map((part) => (sum > 0 ? (part / sum) * total : total / parts.length));
  const whole = exact.map(Math.floor);
  const order = exact.map((value, at) => [value - whole[at], at]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  for (let left = total - whole.reduce((a, b) => a + b, 0), at = 0; left > 0; left -= 1, at += 1) {
    whole[order[at % order.length][1]] += 1;
  }
  return whole;
}

function keepSum(form) {
  const sliders = [...form.querySelectorAll("input[type=range]")];
  const show = () => {
    for (const slider of sliders) {
      form.querySelector(`output[for="${CSS.escape(slider.id)}"]`).textContent = `${slider.value}%`;
      slider.setAttribute("aria-valuetext", `${slider.value}%`);
    }
    const isChanged = sliders.some((slider) => slider.value !== slider.defaultValue);
    for (const button of form.querySelectorAll("[data-when-changed]")) button.disabled = !isChanged;
  };
  const proportions = new Map(sliders.map((slider) => [slider, Number(slider.value)]));
  form.addEventListener("input", (event) => {
    const moved = event.target;
    if (!proportions.has(moved)) return;
    const others = sliders.filter((slider) => slider !== moved);
    if (others.length === 0) {
      moved.value = TOTAL;
    } else {
      const shares = apportion(others.map((slider) => proportions.get(slider)), TOTAL - Number(moved.value));
      others.forEach((slider, at) => { slider.value = shares[at]; });
    }
    show();
  });
  // Proportions are those when a slider was let go: one that is dragged to 100 and back takes nothing away.
  form.addEventListener("change", () => {
    for (const slider of sliders) proportions.set(slider, Number(slider.value));
  });
  // The sliders are set back after the event.
  form.addEventListener("reset", () => setTimeout(() => {
    for (const slider of sliders) proportions.set(slider, Number(slider.value));
    show();
  }));
  show();
}

for (const form of document.querySelectorAll("form[data-weights]")) keepSum(form);
