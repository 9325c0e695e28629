"use strict";
/* Nothing is drawn here, so the page is whole without it: countries by name, and the way to the live pages where a server shows this one. */
(() => {
  const regions = new Intl.DisplayNames(["en"], { type: "region" });
  for (const place of document.querySelectorAll("[data-country]"))
    if (/^[A-Z]{2}$/.test(place.textContent.trim())) place.textContent = regions.of(place.textContent.trim());
  document.getElementById("site").hidden = location.protocol === "file:";
})();
