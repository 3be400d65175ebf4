// What must be known before the first pixel is drawn: whether scripts run, and whether light or dark was chosen.
"use strict";
document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch { /* some windows keep nothing */ }
