"use strict";
/* Draws the report's aggregates (#data). A panel is {finding, lines(look): its least height in em, option(look), columns, rows}. */
(() => {
  const report = JSON.parse(document.getElementById("data").textContent);
  const FEW_VIEWS = 30;
  const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

  // How values are said -------------------------------------------------------------------------------------------
  const number = (value, digits = 0) =>
    value === null ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const short = (value) => Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
  const percent = (share) => (share === null ? "–" : `${number(100 * share, 100 * share < 10 ? 2 : 1)} %`);
  const seconds = (value) => (value === null ? "–" : `${number(value, 2)} s`);
  const minutes = (value) => `${number(value, value < 10 ? 1 : 0)} min`;
  const count = (value, noun) => `${number(value, Number.isInteger(value) ? 0 : 1)} ${noun}${value === 1 ? "" : "s"}`;
  const clock = (hour) => `${String(hour).padStart(2, "0")}:00`;
  const moment = (ms) =>
    new Date(ms).toLocaleString("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const device = (row) => row.device_type.replaceAll("_", " ");
  const regions = new Intl.DisplayNames(["en"], { type: "region" });
  const country = (row) => (/^[A-Z]{2}$/.test(row.country) ? regions.of(row.country) : "Unknown");
  const titled = (row) => (row.year ? `${row.name} (${row.year})` : row.name);
  const most = (rows, measure) => rows.reduce((best, row) => (row[measure] > best[measure] ? row : best));

  // The look, read from the page's styles so that charts follow light and dark --------------------------------------
  const ROLES = ["ink", "muted", "line", "surface", "minutes", "pale", "starts", "failures", "least", "most"];
  function look(element) {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const em = parseFloat(style.fontSize);
    return {
      em,
      width: element.clientWidth,
      height: element.clientHeight,
      narrow: element.clientWidth < 36 * em,
      font: getComputedStyle(document.body).fontFamily,
      ...Object.fromEntries(ROLES.map((role) => [role, colour(role)])),
    };
  }
  const frame = (l) => ({
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: l.font, fontSize: 0.8 * l.em, color: l.muted },
    tooltip: {
      confine: true, backgroundColor: l.surface, borderColor: l.line, extraCssText: "box-shadow: 0 4px 18px #0003",
      textStyle: { color: l.ink, fontSize: 0.85 * l.em, fontFamily: l.font },
    },
  });
  const text = (l, colour = l.muted) => ({ color: colour, fontSize: 0.8 * l.em, fontFamily: l.font });
  const plainAxis = (l) => ({ axisLine: { lineStyle: { color: l.line } }, axisTick: { show: false }, axisLabel: text(l) });
  const safe = (value) => echarts.format.encodeHTML(value);
  const tip = (head, ...lines) => `<b>${safe(head)}</b><br>${lines.map(safe).join("<br>")}`;

  // Panels ------------------------------------------------------------------------------------------------------------
  function hours() {
    const rows = report.hours;
    const peak = most(rows, "minutes");
    const bands = [
      { measure: "minutes", name: "Minutes watched", share: 0.48 },
      { measure: "starts", name: "Starts", share: 0.28 },
      { measure: "failures", name: "Failures", share: 0.12 },
    ];
    return {
      finding: peak.minutes && `Busiest hour: ${moment(peak.hour)} UTC, ${minutes(peak.minutes)} from ${count(peak.starts, "start")}.`,
      lines: () => 28,
      option(l) {
        const left = 3.2 * l.em, plot = l.height - 5.2 * l.em, gap = 2.3 * l.em;
        const room = plot - gap * bands.length;
        let top = 0;
        const grid = bands.map((band) => {
          const height = room * (band.share / 0.88);
          top += gap;
          const box = { left, right: 0.6 * l.em, top, height };
          top += height;
          return box;
        });
        return {
          ...frame(l),
          title: bands.map((band, n) => ({
            text: band.name, left, top: grid[n].top - 1.55 * l.em, padding: 0,
            textStyle: { ...text(l, l[band.measure]), fontWeight: 600, fontSize: 0.85 * l.em },
          })),
          grid,
          axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: l.muted } },
          tooltip: {
            ...frame(l).tooltip, trigger: "axis",
            formatter: (points) => {
              const row = rows[points[0].dataIndex];
              return tip(`${moment(row.hour)} UTC, one hour`, minutes(row.minutes), count(row.starts, "start"), count(row.failures, "failure"));
            },
          },
          xAxis: bands.map((band, n) => ({
            ...plainAxis(l), type: "time", gridIndex: n, splitNumber: l.narrow ? 3 : 8,
            axisLabel: { ...text(l), show: n === bands.length - 1, hideOverlap: true, formatter: { day: "{d} {MMM}", month: "{d} {MMM}", year: "{d} {MMM}", hour: "{HH}:{mm}" } },
          })),
          yAxis: bands.map((band, n) => ({
            type: "value", gridIndex: n, splitNumber: n === 2 ? 1 : 3, minInterval: 1, axisLabel: { ...text(l), formatter: short },
            splitLine: { lineStyle: { color: l.line } },
          })),
          dataZoom: [
            { type: "slider", xAxisIndex: [0, 1, 2], bottom: 0.4 * l.em, height: 1.7 * l.em, left, right: 0.6 * l.em, textStyle: text(l), borderColor: l.line, fillerColor: `${l.minutes}22`, handleStyle: { color: l.surface, borderColor: l.minutes }, moveHandleStyle: { color: l.pale }, emphasis: { handleStyle: { borderColor: l.ink }, moveHandleStyle: { color: l.minutes } }, dataBackground: { lineStyle: { color: l.pale }, areaStyle: { color: l.pale } }, selectedDataBackground: { lineStyle: { color: l.minutes }, areaStyle: { color: l.pale } }, labelFormatter: (value) => moment(value).replace(/,? \d+:\d+$/, "") },
            ...(matchMedia("(pointer: fine)").matches ? [{ type: "inside", xAxisIndex: [0, 1, 2], zoomOnMouseWheel: "ctrl" }] : []),
          ],
          series: bands.map((band, n) => ({
            name: band.name, xAxisIndex: n, yAxisIndex: n, data: rows.map((row) => [row.hour, row[band.measure]]),
            ...(n === 0
              ? { type: "line", symbol: "none", lineStyle: { width: 1.5, color: l[band.measure] }, areaStyle: { color: l[band.measure], opacity: 0.18 }, itemStyle: { color: l[band.measure] } }
              : { type: "bar", barCategoryGap: "15%", barMinWidth: 1, itemStyle: { color: l[band.measure] } }),
          })),
        };
      },
      columns: [["Hour (UTC)", "text"], ["Minutes watched"], ["Starts"], ["Failures"]],
      rows: rows.map((row) => [moment(row.hour), number(row.minutes, 1), number(row.starts), number(row.failures)]),
    };
  }

  function week() {
    const rows = report.week;
    const peak = most(rows, "minutes");
    const days = [...new Set(rows.map((row) => row.weekday))];
    return {
      finding: peak.minutes && `Busiest: ${WEEKDAYS[peak.weekday]}s from ${clock(peak.hour)} UTC, ${minutes(peak.minutes)}.`,
      lines: () => 22,
      option: (l) => ({
        ...frame(l),
        grid: { left: 2.6 * l.em, right: 0.2 * l.em, top: 0.3 * l.em, bottom: 4.2 * l.em },
        tooltip: {
          ...frame(l).tooltip,
          formatter: ({ dataIndex }) => {
            const row = rows[dataIndex];
            return tip(`${WEEKDAYS[row.weekday]}, ${clock(row.hour)}–${clock((row.hour + 1) % 24)} UTC`, `${minutes(row.minutes)} and ${count(row.starts, "start")} on average`);
          },
        },
        xAxis: { ...plainAxis(l), type: "category", data: [...Array(24).keys()].map(clock), axisLabel: { ...text(l), interval: l.narrow ? 5 : 2 } },
        yAxis: { ...plainAxis(l), type: "category", inverse: true, data: days.map((day) => WEEKDAYS[day].slice(0, 3)) },
        visualMap: {
          min: 0, max: Math.max(1, peak.minutes), orient: "horizontal", left: "center", bottom: 0, itemWidth: 0.8 * l.em, itemHeight: 9 * l.em,
          text: [`${number(peak.minutes)} minutes in the hour`, "0"], textStyle: text(l), inRange: { color: [l.least, l.minutes, l.most] }, hoverLink: false,
        },
        series: [{
          type: "heatmap", data: rows.map((row) => [row.hour, days.indexOf(row.weekday), row.minutes]),
          itemStyle: { borderColor: l.surface, borderWidth: 1.5, borderRadius: 3 }, emphasis: { itemStyle: { borderColor: l.ink } },
        }],
      }),
      columns: [["Weekday", "text"], ["Hour (UTC)"], ["Minutes, average day"], ["Starts, average day"]],
      rows: rows.map((row) => [WEEKDAYS[row.weekday], clock(row.hour), number(row.minutes, 1), number(row.starts, 1)]),
    };
  }

  /* Ranked horizontal bars of minutes, each with its starts; on a phone the name stands above its bar. */
  function ranking({ rows, name, finding, heading }) {
    const shown = rows.slice(0, 15);
    const value = (row) => `${minutes(row.minutes)} · ${count(row.starts, "start")}`;
    const longest = Math.max(...shown.map((row) => value(row).length));
    return {
      finding,
      lines: (l) => (l.narrow ? 2.7 : 1.5) * shown.length + 0.5,
      option: (l) => ({
        ...frame(l),
        grid: { left: 0, right: l.narrow ? 0 : 0.48 * longest * l.em, top: l.narrow ? 0.5 * l.em : 0, bottom: 0, outerBoundsMode: "same" },
        tooltip: {
          ...frame(l).tooltip,
          formatter: ({ dataIndex }) => {
            const row = shown[dataIndex];
            return tip(name(row), minutes(row.minutes), `${count(row.starts, "start")} of ${count(row.views, "view")}`, `${percent(row.failure_rate)} failed, ${percent(row.rebuffer_ratio)} rebuffering`);
          },
        },
        xAxis: { type: "value", show: false, max: "dataMax" },
        yAxis: {
          type: "category", inverse: true, data: shown.map(name), axisLine: { show: false }, axisTick: { show: false },
          axisLabel: { ...text(l, l.ink), show: !l.narrow, width: 0.36 * l.width, overflow: "truncate", interval: 0 },
        },
        series: [{
          type: "bar", data: shown.map((row) => row.minutes), itemStyle: { color: l.minutes, borderRadius: 3 },
          ...(l.narrow ? { barWidth: 0.5 * l.em } : { barCategoryGap: "32%" }),
          label: {
            show: true, ...text(l), position: l.narrow ? [0, -1.15 * l.em] : "right", rich: { name: text(l, l.ink) },
            formatter({ dataIndex }) {
              const row = shown[dataIndex];
              if (!l.narrow) return value(row);
              const room = Math.floor(l.width / (0.45 * l.em)) - longest;
              return `{name|${name(row).length > room ? `${name(row).slice(0, room - 1)}…` : name(row)}}  ${value(row)}`;
            },
          },
        }],
      }),
      columns: [[heading, "text"], ...FIGURES],
      rows: rows.map((row) => [name(row), ...figures(row)]),
    };
  }
  const FIGURES = [["Minutes watched"], ["Views"], ["Starts"], ["Failures"], ["Failures, % of views"], ["Exits before start"], ["Rebuffering, % of time"], ["Startup, median"]];
  const figures = (row) => [
    number(row.minutes), number(row.views), number(row.starts), number(row.failures), percent(row.failure_rate),
    number(row.exits), percent(row.rebuffer_ratio), seconds(row.startup_seconds),
  ];

  /* Small multiples over the same rows, each against the average of all views; on a phone one below the other. */
  function quality({ rows, name, heading }) {
    const charts = [
      { measure: "failure_rate", name: "Failures, % of views", say: percent },
      { measure: "rebuffer_ratio", name: "Rebuffering, % of time", say: percent },
      { measure: "startup_seconds", name: "Startup, median", say: seconds },
    ];
    const enough = rows.filter((row) => row.views >= FEW_VIEWS);
    const worst = enough.length ? most(enough, "failure_rate") : null;
    const band = (l) => (1.5 * rows.length + 2.4) * l.em;
    return {
      finding: worst && worst.failure_rate && `Most failures: ${name(worst)}, ${percent(worst.failure_rate)} of ${number(worst.views)} views.`,
      lines: (l) => (band(l) / l.em) * (l.narrow ? charts.length : 1),
      option(l) {
        const labels = Math.min(10 * l.em, (l.narrow ? 0.4 : 0.3) * l.width);
        const column = l.narrow ? 0 : (l.width - labels) / charts.length, row = l.narrow ? band(l) : 0;
        const width = (l.narrow ? l.width - labels : column) - 3.9 * l.em;
        const height = (l.narrow ? row : l.height) - 2.4 * l.em;
        const place = charts.map((_, n) => ({ left: labels + n * column, top: n * row + 1.9 * l.em }));
        const paint = (figure, average, views) => {
          if (views < FEW_VIEWS) return { color: l.pale, opacity: 0.55 };
          return { color: figure >= 2 * average ? l.failures : l.minutes };
        };
        return {
          ...frame(l),
          title: charts.map((chart, n) => ({
            text: chart.name, left: place[n].left, top: place[n].top - 1.7 * l.em, padding: 0, textStyle: { ...text(l, l.ink), fontWeight: 600 },
          })),
          grid: place.map((corner) => ({ ...corner, width, height, outerBoundsMode: "none" })),
          tooltip: {
            ...frame(l).tooltip,
            formatter: ({ dataIndex }) => {
              const row = rows[dataIndex];
              return tip(name(row), `${count(row.views, "view")}, ${minutes(row.minutes)}`, `${percent(row.failure_rate)} failed (${number(row.failures)})`, `${percent(row.exit_rate)} left before the start (${number(row.exits)})`, `${percent(row.rebuffer_ratio)} of the time rebuffering`, `${seconds(row.startup_seconds)} to the first frame, median`);
            },
          },
          xAxis: charts.map((chart, n) => ({ type: "value", gridIndex: n, show: false, min: 0, max: Math.max(...rows.map((row) => row[chart.measure] ?? 0), 1e-9) })),
          yAxis: charts.map((_, n) => ({
            type: "category", gridIndex: n, inverse: true, data: rows.map(name), axisTick: { show: false }, axisLine: { lineStyle: { color: l.line } },
            axisLabel: { ...text(l, l.ink), show: l.narrow || n === 0, interval: 0, width: labels - 0.6 * l.em, overflow: "truncate" },
          })),
          series: charts.map((chart, n) => ({
            type: "bar", xAxisIndex: n, yAxisIndex: n, barCategoryGap: "34%", z: 6,
            data: rows.map((row) => ({
              value: row[chart.measure] ?? 0,
              itemStyle: { ...paint(row[chart.measure], report.totals[chart.measure], row.views), borderRadius: [0, 3, 3, 0] },
            })),
            label: { show: true, position: "right", ...text(l), backgroundColor: l.surface, padding: [1, 3], distance: 2, formatter: ({ dataIndex }) => chart.say(rows[dataIndex][chart.measure]) },
            markLine: {
              silent: true, symbol: "none", precision: 9, z: 1, label: { show: false }, lineStyle: { color: l.muted, type: "dashed", width: 1 },
              data: [{ xAxis: report.totals[chart.measure] ?? 0 }],
            },
          })),
        };
      },
      columns: [[heading, "text"], ...FIGURES],
      rows: rows.map((row) => [name(row), ...figures(row)]),
    };
  }

  // versions of one device beside each other, newest first: that is the comparison to make
  const rank = new Map(report.devices.map((row, n) => [row.device_type, n]));
  const byDevice = (rows) =>
    rows.slice(0, 24).sort((a, b) => rank.get(a.device_type) - rank.get(b.device_type) || b.app_version.localeCompare(a.app_version, "en", { numeric: true }));

  const leaders = report.titles.slice(0, 3);
  const lead = leaders.reduce((sum, row) => sum + row.minutes, 0) / (report.totals.minutes || 1);
  const panels = {
    hours: hours(),
    week: week(),
    titles: ranking({ rows: report.titles, name: titled, heading: "Title", finding: report.titles.length > leaders.length && `The first ${leaders.length} make ${percent(lead)} of all minutes.` }),
    devices: quality({ rows: report.devices, name: device, heading: "Device" }),
    countries: ranking({ rows: report.countries, name: country, heading: "Country", finding: report.countries.length > 1 && `Most minutes: ${country(report.countries[0])}, ${percent(report.countries[0].minutes / (report.totals.minutes || 1))} of all.` }),
    versions: quality({ rows: byDevice(report.app_versions), name: (row) => `${device(row)} ${row.app_version}`, heading: "App version" }),
  };

  // Drawing -----------------------------------------------------------------------------------------------------------
  function table({ columns, rows }) {
    const cell = (tag, content, kind) => Object.assign(document.createElement(tag), { textContent: content, className: kind ?? "" });
    const made = document.createElement("table");
    made.createTHead().insertRow().append(...columns.map(([name, kind]) => cell("th", name, kind)));
    const body = made.createTBody();
    for (const row of rows) body.insertRow().append(...row.map((content, n) => cell("td", content, columns[n][1])));
    return made;
  }

  for (const [id, panel] of Object.entries(panels)) {
    const section = document.getElementById(id);
    const element = section.querySelector(".chart"), figuresTable = section.querySelector(".table"), button = section.querySelector(".switch");
    section.querySelector(".finding").textContent = panel.finding || "";
    let chart = null;
    const draw = () => {
      if (!element.clientWidth) return;
      element.style.minHeight = `${panel.lines(look(element)) * look(element).em}px`;
      const l = look(element);
      chart ??= echarts.init(element, null, { renderer: "svg" });
      chart.resize();
      chart.setOption(panel.option(l), { replaceMerge: ["series", "grid", "title"] });
    };
    new ResizeObserver(draw).observe(section);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
    button.addEventListener("click", () => {
      const asTable = figuresTable.hidden;
      if (asTable && !figuresTable.firstChild) figuresTable.append(table(panel));
      figuresTable.hidden = !asTable;
      element.hidden = asTable;
      button.textContent = asTable ? "Chart" : "Table";
      button.setAttribute("aria-pressed", String(asTable));
      draw();
    });
  }
})();
