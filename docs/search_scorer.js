// Pages of the guide come before the methods of classes with the same name, and the page
// on sampling before others that mention it.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) =>
    score +
    (docname === "guide/sampling" ? 40 : /^(guide\/|recipes|faq)/.test(docname) ? 20 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
