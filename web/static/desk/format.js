// Numbers and times in the reader's language, by the locale that the server wrote into the page, so that both agree.

const { lang } = document.documentElement;
const { locale } = document.body.dataset;

/** A moment on the reader's own clock, as short as it can be said. */
export function when(at) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  const how = today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(locale, how).format(date);
}

/** A whole number that counts nothing, such as an id: never grouped. */
export function digits(number) {
  return new Intl.NumberFormat(locale, { useGrouping: false }).format(number);
}

/** Of a text's forms the one that goes with `n`, filled in. */
export function counted(forms, n) {
  const form = forms[new Intl.PluralRules(lang).select(n)] ?? forms.other;
  return form.replace("{n}", new Intl.NumberFormat(locale).format(n));
}
