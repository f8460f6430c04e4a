# Computes the reference values of Cox models. Needs R with survival; run by make_reference.py.
#   Rscript make_cox_reference.R FOLDER    reads FOLDER/*.csv (day, cause, arm, marker, trial, entry; effects.csv:
#                                          name, effect, std_error), writes FOLDER/*.txt
# One line a value: dotted key, tab, numbers separated by blanks (17 digits, NA where R has none).
suppressMessages(library(survival))
invisible(Sys.setlocale("LC_COLLATE", "C"))
folder <- commandArgs(TRUE)[1]
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)

say <- function(out, ..., x) cat(paste(..., sep = "."), "\t", paste(ifelse(is.finite(x), sprintf("%.17g", x), "NA"), collapse = " "),
                                 "\n", sep = "", file = out)
model <- function(out, key, formula, d, ties) {
  # A model that runs to infinity only warns, and has no place among reference values.
  fit <- withCallingHandlers(coxph(formula, d, ties = ties, control = exact, x = TRUE),
                             warning = function(w) stop(key, ": ", conditionMessage(w)))
  say(out, key, "coef", x = coef(fit)); say(out, key, "covariance", x = as.numeric(vcov(fit)))
  say(out, key, "log_likelihood", x = fit$loglik)
  say(out, key, "tests", x = c(2 * diff(fit$loglik), fit$wald.test, fit$score))
  interval <- summary(fit)$conf.int
  say(out, key, "lower", x = interval[, 3]); say(out, key, "upper", x = interval[, 4])
  for (scale in c("km", "identity")) {
    say(out, key, "zph", scale, x = cox.zph(fit, scale, terms = FALSE)$table[, 1])
    say(out, key, "zph_terms", scale, x = cox.zph(fit, scale)$table[, 1])
  }
}

for (path in setdiff(list.files(folder, "csv$", full.names = TRUE), file.path(folder, "effects.csv"))) {
  d <- read.csv(path); d$event <- as.integer(d$cause > 0); late <- d[d$entry < d$day, ]
  out <- file(sub("csv$", "txt", path), "w")
  for (ties in c("efron", "breslow")) {
    key <- function(name) paste(ties, name, sep = ".")
    model(out, key("marker"), Surv(day, event) ~ marker, d, ties)
    model(out, key("marker_strata"), Surv(day, event) ~ marker + strata(trial), d, ties)
    model(out, key("both"), Surv(day, event) ~ arm + marker, d, ties)
    model(out, key("both_strata"), Surv(day, event) ~ arm + marker + strata(trial), d, ties)
    model(out, key("both_strata_first"), Surv(day, cause == 1) ~ arm + marker + strata(trial), d, ties)
    model(out, key("product_strata"), Surv(day, event) ~ arm * marker + strata(trial), d, ties)
    model(out, key("late"), Surv(entry, day, event) ~ arm + marker, late, ties)
    model(out, key("late_strata"), Surv(entry, day, event) ~ arm + marker + strata(trial), late, ties)
  }
  # Interaction within the trials that have events in both arms: one treatment column a trial.
  counts <- table(d$trial[d$event == 1], d$arm[d$event == 1])
  w <- d[d$trial %in% rownames(counts)[rowSums(counts > 0) == 2], ]; trials <- sort(unique(w$trial))
  treated <- as.numeric(w$arm == max(w$arm)); levels_ <- model.matrix(~ marker, w)[, -1, drop = FALSE]
  by_trial <- sapply(trials, function(t) treated * (w$trial == t))
  full <- coxph(Surv(day, event) ~ by_trial + levels_ + I(treated * levels_) + strata(trial), w, control = exact)
  less <- coxph(Surv(day, event) ~ by_trial + levels_ + strata(trial), w, control = exact)
  say(out, "within.coef", x = coef(full)); say(out, "within.covariance", x = as.numeric(vcov(full)))
  say(out, "within.statistic", x = 2 * (full$loglik[2] - less$loglik[2]))
  say(out, "within.patients", x = nrow(w)); say(out, "within.events", x = sum(w$event))
  close(out)
}

e <- read.csv(file.path(folder, "effects.csv")); out <- file(file.path(folder, "effects.txt"), "w")
for (name in unique(e$name)) {
  x <- e[e$name == name, ]; x$v <- x$std_error^2; k <- nrow(x)
  # REML is the likelihood of k - 1 error contrasts K'y, normal with variance K'(diag(v) + tau^2)K; this is its slope.
  K <- contr.helmert(k); r <- t(K) %*% x$effect
  slope <- function(tau2) { P <- solve(t(K) %*% diag(x$v + tau2) %*% K); KK <- t(K) %*% K
    as.numeric(t(r) %*% P %*% KK %*% P %*% r) - sum(diag(P %*% KK)) }
  tau2 <- if (slope(0) <= 0) 0 else uniroot(slope, c(0, diff(range(x$effect))^2), tol = 1e-15)$root
  w <- 1 / (x$v + tau2); mu <- sum(w * x$effect) / sum(w)
  b <- (k - 3) / (k - 1) * x$v * w; mean_v <- sum(w * x$v) / sum(w)
  variance <- x$v * (1 - b) + b^2 / sum(w) + 2 * b^2 * (x$effect - mu)^2 * (mean_v + tau2) * w / (k - 3)
  say(out, name, "tau_squared", x = tau2); say(out, name, "mean", x = mu)
  say(out, name, "estimate", x = b * mu + (1 - b) * x$effect); say(out, name, "std_error", x = sqrt(variance))
}
close(out)
cat(R.version.string, as.character(packageVersion("survival")), "\n",
    file = file.path(folder, "versions"))
