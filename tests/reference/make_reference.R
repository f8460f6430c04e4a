# Computes the reference values of every CSV in a folder. Needs R with survival and cmprsk; run by make_reference.py.
#   Rscript make_reference.R FOLDER        reads FOLDER/*.csv (day, cause, group, stratum, entry), writes FOLDER/*.txt
# One line a value: dotted key, tab, numbers separated by blanks (17 digits, NA where R has none).
suppressMessages({library(survival); library(cmprsk)})
invisible(Sys.setlocale("LC_COLLATE", "C"))
folder <- commandArgs(TRUE)[1]

say <- function(out, ..., x) cat(paste(..., sep = "."), "\t", paste(ifelse(is.finite(x), sprintf("%.17g", x), "NA"), collapse = " "),
                                 "\n", sep = "", file = out)
quartiles <- function(out, key, fit) {
  q <- quantile(fit, c(.25, .5, .75))
  for (part in c("quantile", "lower", "upper")) say(out, key, part, x = as.numeric(t(q[[part]])))
}
curves <- function(out, name, d, at, tau) {
  say(out, name, "at", x = at)
  for (type in c("log-log", "log", "plain")) {
    fit <- survfit(Surv(day, event) ~ 1, data = d, conf.type = type)
    s <- summary(fit, times = at, extend = TRUE)
    say(out, name, type, "lower", x = s$lower); say(out, name, type, "upper", x = s$upper)
    quartiles(out, paste(name, type, "quartiles", sep = "."), fit)
  }
  say(out, name, "n_risk", x = s$n.risk); say(out, name, "survival", x = s$surv); say(out, name, "std_error", x = s$std.err)
  mean_ <- summary(survfit(Surv(day, event) ~ 1, data = d), rmean = tau)$table
  say(out, name, "rmst", x = c(tau, mean_["rmean"], mean_["se(rmean)"]))
  quartiles(out, paste(name, "reverse", sep = "."), survfit(Surv(day, 1 - event) ~ 1, data = d, conf.type = "log-log"))
}
incidence <- function(out, name, d, at) {
  d$state <- factor(d$cause, levels = 0:max(2, d$cause))
  grid <- timepoints(cuminc(d$day, d$cause, cencode = 0), at)
  for (type in c("log-log", "log", "plain")) {
    s <- summary(survfit(Surv(day, state) ~ 1, data = d, conf.type = type), times = at, extend = TRUE)
    for (k in sort(unique(d$cause[d$cause > 0]))) {
      key <- paste0(name, ".cause", k)
      say(out, key, type, "lower", x = s$lower[, k + 1]); say(out, key, type, "upper", x = s$upper[, k + 1])
      say(out, key, "incidence", x = s$pstate[, k + 1]); say(out, key, "std_error", x = s$std.err[, k + 1])
      say(out, key, "cuminc_variance", x = grid$var[paste(1, k), ])
    }
  }
}
log_rank <- function(out, name, formula, d, rho) {
  x <- survdiff(formula, data = d, rho = rho)
  total <- function(m) if (is.matrix(m)) rowSums(m) else m
  say(out, name, "observed", x = total(x$obs)); say(out, name, "expected", x = total(x$exp))
  say(out, name, "variance", x = as.numeric(x$var)); say(out, name, "statistic", x = x$chisq)
  x$chisq
}

for (path in list.files(folder, "csv$", full.names = TRUE)) {
  d <- read.csv(path); d$event <- as.integer(d$cause > 0); labels <- sort(unique(d$group))
  out <- file(sub("csv$", "txt", path), "w")
  at <- unique(round(quantile(d$day, c(.02, .1, .25, .5, .75, .9)))); tau <- min(tapply(d$day, d$group, max))
  curves(out, "all", d, at, tau); incidence(out, "all", d, at)
  for (i in seq_along(labels)) { x <- d[d$group == labels[i], ]
    curves(out, paste0("group", i), x, at, tau); incidence(out, paste0("group", i), x, at) }
  for (rho in c(0, 1, .5)) {
    log_rank(out, paste0("log_rank.rho", rho), Surv(day, event) ~ group, d, rho)
    log_rank(out, paste0("log_rank_strata.rho", rho), Surv(day, event) ~ group + strata(stratum), d, rho)
  }
  log_rank(out, "log_rank_cause1", Surv(day, cause == 1) ~ group + strata(stratum), d, 0)
  p <- c()
  for (i in seq_along(labels)) for (j in seq_along(labels)) if (i < j)
    p <- c(p, survdiff(Surv(day, event) ~ group, d[d$group %in% labels[c(i, j)], ])$chisq)
  p <- pchisq(p, 1, lower.tail = FALSE)
  say(out, "pairs.p", x = p); say(out, "pairs.holm", x = p.adjust(p, "holm")); say(out, "pairs.bh", x = p.adjust(p, "BH"))
  for (k in sort(unique(d$cause[d$cause > 0]))) {
    i <- match(k, sort(unique(d$cause[d$cause > 0])))
    say(out, "gray", paste0("cause", k), x = cuminc(d$day, d$cause, d$group, cencode = 0)$Tests[i, c(1, 2)])
    say(out, "gray_strata", paste0("cause", k), x = cuminc(d$day, d$cause, d$group, d$stratum, cencode = 0)$Tests[i, c(1, 2)])
  }
  # Late entry: exit on or before entry leaves nobody to watch. The exact partial likelihood has the log-rank score test.
  late <- d[d$entry < d$day, ]
  fit <- survfit(Surv(entry, day, event) ~ 1, data = late, conf.type = "log-log"); s <- summary(fit, times = at, extend = TRUE)
  say(out, "late.survival", x = s$surv); say(out, "late.std_error", x = s$std.err); say(out, "late.n_risk", x = s$n.risk)
  late$state <- factor(late$cause, levels = 0:max(2, late$cause)); late$id <- seq_len(nrow(late))
  s <- summary(survfit(Surv(entry, day, state) ~ 1, data = late, id = id), times = at, extend = TRUE)
  say(out, "late.incidence1", x = s$pstate[, 2]); say(out, "late.jackknife1", x = s$std.err[, 2])
  if (max(table(late$day[late$event == 1])) <= 3)
    say(out, "late.log_rank", x = coxph(Surv(entry, day, event) ~ group, late, ties = "exact")$score)
  close(out)
}
cat(R.version.string, as.character(packageVersion("survival")), as.character(packageVersion("cmprsk")), "\n",
    file = file.path(folder, "versions"))
