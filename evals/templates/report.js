
for (const section of document.querySelectorAll(".questions")) {
  const form = section.querySelector("form");
  if (!form) continue;
  const { words, fate, category, open } = form.elements;
  const told = form.querySelector("output");
  const questions = [...section.querySelectorAll("details.question")].map((element) => ({
    element,
    group: element.closest(".fate"),
    text: element.textContent.toLowerCase(),
  }));
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const counts = new Map();
    for (const { element, group, text } of questions) {
      const shown =
        (!fate.value || fate.value === group.dataset.fate) &&
        (!category.value || category.value === element.dataset.category) &&
        wanted.every((word) => text.includes(word));
      element.hidden = !shown;
      counts.set(group, (counts.get(group) ?? 0) + shown);
    }
    let total = 0;
    for (const [group, count] of counts) {
      group.hidden = !count;
      group.querySelector(".count").textContent = count;
      total += count;
    }
    told.value = total === 1 ? "1 question" : `${total} questions`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  open.addEventListener("click", () => {
    const opened = open.getAttribute("aria-pressed") !== "true";
    open.setAttribute("aria-pressed", opened);
    open.textContent = opened ? "Close all" : "Open all";
    for (const { element } of questions) element.open = opened;
  });
  form.hidden = false;
  filter();
}
