// Polls the running explanation once a second and reloads the page when it has ended. Without script: reload by hand.
const stage = document.getElementById("stage"), bar = document.getElementById("progress");
if (stage) setInterval(async () => {
  let job;
  try { job = await (await fetch(location.pathname + "/state")).json(); } catch { return; }
  if (!job.running) { location.replace(location.pathname); return; }
  stage.textContent = job.total ? t("{judge}, {method}: {stage} ({done} of {total} texts), {seconds} s", job)
    : job.done ? t("{judge}, {method}: {stage} ({done} texts so far), {seconds} s", job)
    : t("{judge}, {method}: {stage}, {seconds} s", job);
  if (job.total) { bar.max = job.total; bar.value = job.done; } else bar.removeAttribute("value");
}, 1000);
