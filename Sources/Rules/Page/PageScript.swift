/// The script of a report: filters, links into folded lists, and copying a digest.
///
/// It contains nothing from outside. The policy of the page allows this script and no other, by its hash.
enum PageScript {
    static let hash = PageStyle.policyHash(of: source)
    static let text = HTML(stringLiteral: source)

    private static let source = """

        (() => {
          "use strict";
          const form = document.getElementById("filters");
          const ruleField = form.elements.rule, textField = form.elements.text;
          const buttons = [...form.querySelectorAll("button[data-state]")];
          const unfold = document.getElementById("unfold"), shown = document.getElementById("shown");
          const all = (selector, root = document) => [...root.querySelectorAll(selector)];
          const number = (count) => count.toLocaleString("en");
          const words = (element) => element.textContent.toLowerCase();

          // What can be hidden: rows of repositories, lists of changes with their rows, problems.
          const rows = all("table.matrix > tbody:not(.total) > tr").map((row) => ({
            element: row, states: row.dataset.s.split(" "), text: words(row),
            rule: row.closest("[data-r]").dataset.r,
          }));
          const lists = all("details.g").map((list) => {
            const text = words(list.querySelector("h4")) + " " + words(list.querySelector(".route"));
            const items = all("[data-s]", list).map((item) => ({
              element: item, states: [item.dataset.s], text: text + " " + words(item),
            }));
            return { element: list, items, text, rule: list.closest("[data-r]").dataset.r };
          });
          const problems = all("#problems li").map((item) => ({
            element: item, states: [item.dataset.s], text: words(item), rule: item.dataset.r,
          }));
          const folds = all("details");
          const before = new Map(folds.map((fold) => [fold, fold.open]));

          const chosen = () => buttons.filter((button) => button.getAttribute("aria-pressed") === "true")
            .map((button) => button.dataset.state);

          const hideEmpty = (selector, itemSelector) => {
            for (const part of all(selector)) part.hidden = !part.querySelector(itemSelector);
          };

          let isFiltered = false;
          const apply = () => {
            const rule = ruleField ? ruleField.value : "";
            const parts = textField.value.toLowerCase().split(/\\s+/).filter(Boolean);
            const states = chosen();
            const isWanted = (item) => (!rule || item.rule === rule)
              && (!states.length || item.states.some((state) => states.includes(state)))
              && parts.every((part) => item.text.includes(part));
            const filter = (items) => {
              let count = 0;
              for (const item of items) {
                const wanted = isWanted(item);
                item.element.hidden = !wanted;
                if (wanted) count += 1;
              }
              return count;
            };
            const countOfRows = filter(rows);
            let changes = 0, countOfChanges = 0;
            for (const list of lists) {
              for (const item of list.items) item.rule = list.rule;
              const count = filter(list.items);
              changes += list.items.length;
              countOfChanges += count;
              // A list without rows has only notes.
              list.element.hidden = list.items.length ? count === 0 : states.length > 0 || !isWanted({ ...list, states: [] });
            }
            const countOfProblems = filter(problems);
            const now = Boolean(rule || parts.length || states.length);
            hideEmpty("#problems > section", "li:not([hidden])");
            hideEmpty("#repositories > section", "tbody:not(.total) > tr:not([hidden])");
            hideEmpty("#changes > section", "details.g:not([hidden])");
            hideEmpty(".scroll, #repositories details", "tbody:not(.total) > tr:not([hidden])");
            hideEmpty("details.g table, details.g details", "tbody > tr:not([hidden])");
            hideEmpty("#problems details, #problems ul", "li:not([hidden])");
            if (!now) for (const part of all("main [hidden]")) part.hidden = false;
            for (const total of all("tbody.total")) total.hidden = now;
            if (now) {
              // A few matches are unfolded; many would make the page long.
              const few = countOfRows + countOfChanges < 400;
              for (const fold of folds) if (!fold.hidden && (few || fold.matches(".g .more, #problems .more"))) fold.open = true;
            } else if (isFiltered) {
              for (const [fold, wasOpen] of before) fold.open = wasOpen;
            }
            isFiltered = now;
            shown.textContent = now
              ? `${number(countOfRows)} of ${number(rows.length)} repositories, ${number(countOfChanges)} of ${number(changes)} changes`
                + (problems.length ? `, ${number(countOfProblems)} of ${number(problems.length)} problems` : "")
              : "";
          };

          const remember = () => {
            const values = new URLSearchParams();
            if (ruleField && ruleField.value) values.set("rule", ruleField.value);
            if (chosen().length) values.set("state", chosen().join(","));
            if (textField.value) values.set("text", textField.value);
            const fragment = values.toString();
            try { history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search); } catch {}
          };

          // A fragment is a filter (#rule=1&state=failed&text=app) or the place of a list.
          const follow = () => {
            const fragment = location.hash.slice(1);
            if (fragment.includes("=")) {
              const values = new URLSearchParams(fragment);
              const states = (values.get("state") || "").split(",");
              if (ruleField) ruleField.value = values.get("rule") || "";
              if (ruleField && ruleField.selectedIndex < 0) ruleField.value = "";
              textField.value = values.get("text") || "";
              for (const button of buttons) button.setAttribute("aria-pressed", String(states.includes(button.dataset.state)));
              apply();
            } else if (fragment) {
              const target = document.getElementById(fragment);
              if (!target) return;
              if (target.hidden || target.closest("[hidden]")) {
                for (const button of buttons) button.setAttribute("aria-pressed", "false");
                textField.value = "";
                if (ruleField) ruleField.value = "";
                apply();
              }
              for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
              target.scrollIntoView();
            }
          };

          let waiting = 0;
          const changed = () => {
            cancelAnimationFrame(waiting);
            waiting = requestAnimationFrame(() => { apply(); remember(); });
          };
          form.addEventListener("submit", (event) => event.preventDefault());
          form.addEventListener("input", changed);
          for (const button of buttons) {
            button.addEventListener("click", () => {
              button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
              changed();
            });
          }
          unfold.addEventListener("click", () => {
            const open = unfold.getAttribute("aria-pressed") !== "true";
            unfold.setAttribute("aria-pressed", String(open));
            unfold.textContent = open ? "fold all" : "unfold all";
            for (const fold of folds) fold.open = open;
          });
          document.addEventListener("click", (event) => {
            const digest = event.target.closest("code.d");
            if (!digest || !navigator.clipboard) return;
            navigator.clipboard.writeText(digest.title).then(
              () => { shown.textContent = `copied ${digest.title.slice(0, 19)}…`; }, () => {});
          });
          window.addEventListener("hashchange", follow);
          form.hidden = false;
          apply();
          follow();
        })();

        """
}
