# Computes the reference values of treatment comparisons. Needs R with survival, prodlim, riskRegression and Hmisc; run by
# make_reference.py.
#   Rscript make_what_if_reference.R FOLDER    reads FOLDER/*.csv (day, cause, arm, first, second, third, stratum, weight,
#                                              and in the first rows of the last two columns the days and knots),
#                                              writes FOLDER/*.txt
# One line a value: dotted key, tab, numbers separated by blanks (17 digits, NA where R has none).
suppressMessages({library(survival); library(prodlim); library(riskRegression)})
invisible(Sys.setlocale("LC_COLLATE", "C"))
folder <- commandArgs(TRUE)[1]
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 100)
exactly <- glm.control(epsilon = 1e-14, maxit = 100)

for (path in list.files(folder, "csv$", full.names = TRUE)) {
  d <- read.csv(path); tt <- d$days[!is.na(d$days)]; knots <- d$knots[!is.na(d$knots)]
  d$event <- as.integer(d$cause > 0); d$s <- factor(d$stratum); d$armf <- factor(d$arm)
  out <- file(sub("csv$", "txt", path), "w")
  say <- function(..., x) cat(paste(..., sep = "."), "\t", paste(ifelse(is.finite(x), sprintf("%.17g", x), "NA"), collapse = " "),
                              "\n", sep = "", file = out)
  # Cox models, with and without case weights, and their cumulative baseline hazards for all columns 0.
  for (ties in c("efron", "breslow")) for (weighted in c("plain", "weighted")) {
    d$w <- if (weighted == "plain") 1 else d$weight
    m <- coxph(Surv(day, event) ~ arm + first + second + third + arm:first + strata(s), d, weights = w, robust = FALSE,
               ties = ties, control = exact, x = TRUE, y = TRUE)
    key <- function(name) paste("cox", ties, weighted, name, sep = ".")
    say(key("coef"), x = coef(m)); say(key("covariance"), x = as.numeric(vcov(m))); say(key("log_likelihood"), x = m$loglik[2])
    for (level in levels(d$s)) {
      b <- suppressWarnings(basehaz(m, centered = FALSE)); b <- b[b$strata == level, ]
      say(key("hazard"), level, x = sapply(tt, function(t) max(c(0, b$hazard[b$time <= t]))))
    }
  }
  plain <- coxph(Surv(day, event) ~ arm + first + second + third + strata(s), d, control = exact)
  z <- cox.zph(plain)$table; say("zph", x = z[, 1])
  # The g-formula: all events, and the two causes in exponential form.
  m <- coxph(Surv(day, event) ~ armf * first + second + third + strata(s), d, control = exact, x = TRUE, y = TRUE)
  g <- ate(m, data = d, treatment = "armf", times = tt, se = FALSE, band = FALSE, verbose = FALSE)
  risk <- function(g, a) { r <- as.data.frame(g$meanRisk); r$estimate[as.character(r$treatment) == a & r$estimator == "GFORMULA"] }
  for (a in c("0", "1")) say("gformula", a, x = risk(g, a))
  cs <- CSC(Hist(day, cause) ~ armf + first + second + third + strata(s), data = d, control = exact)
  for (k in 1:2) {
    g <- ate(cs, data = d, treatment = "armf", times = tt, cause = k, se = FALSE, band = FALSE, verbose = FALSE, product.limit = FALSE)
    for (a in c("0", "1")) say("incidence", k, a, x = risk(g, a))
  }
  # Logistic regression and weights.
  ps <- glm(arm ~ first + second + third + s, binomial, d, control = exactly)
  say("logistic.coef", x = coef(ps)); say("logistic.covariance", x = as.numeric(vcov(ps))); say("logistic.log_likelihood", x = as.numeric(logLik(ps)))
  pw <- suppressWarnings(glm(arm ~ first + second + third + s, binomial, d, weights = weight, control = exactly))
  say("logistic.weighted.coef", x = coef(pw)); say("logistic.weighted.covariance", x = as.numeric(vcov(pw)))
  p <- fitted(ps); say("propensity", x = p[1:25])
  q <- mean(d$arm); inverse <- ifelse(d$arm == 1, q / p, (1 - q) / (1 - p)); overlap <- ifelse(d$arm == 1, 1 - p, p)
  for (kind in c("inverse", "overlap")) {
    w <- get(kind)
    for (a in 0:1) {
      i <- d$arm == a; x <- d[i, ]; x$w <- w[i]
      s <- summary(survfit(Surv(day, event) ~ 1, x, weights = w, robust = TRUE), times = tt)
      say(kind, "survival", a, x = s$surv); say(kind, "std_error", a, x = s$std.err)
      say(kind, "size", a, x = c(sum(w[i])^2 / sum(w[i]^2), max(w[i]) / sum(w[i])))
    }
    smd <- function(x, w) { v <- sapply(0:1, function(a) mean((x[d$arm == a] - mean(x[d$arm == a]))^2))
      m <- sapply(0:1, function(a) weighted.mean(x[d$arm == a], w[d$arm == a])); (m[2] - m[1]) / sqrt(mean(v)) }
    say(kind, "balance", x = sapply(c("first", "second", "third"), function(n) c(smd(d[[n]], rep(1, nrow(d))), smd(d[[n]], w))))
  }
  # Pseudo-values within strata, and augmented weighting of them.
  pv <- matrix(NA, nrow(d), length(tt))
  for (level in levels(d$s)) { i <- which(d$s == level); pv[i, ] <- jackknife(prodlim(Hist(day, event) ~ 1, d[i, ]), times = tt) }
  for (j in seq_along(tt)) say("pseudo", tt[j], x = pv[1:60, j])
  phi <- lapply(0:1, function(a) { i <- d$arm == a; pa <- if (a == 1) p else 1 - p
    sapply(seq_along(tt), function(j) { d$theta <- pv[, j]; fit <- lm(theta ~ first + second + third + s, d[i, ])
      mu <- predict(fit, d); mu + i / pa * (d$theta - mu) }) })
  n <- nrow(d); se <- function(x) apply(x, 2, function(v) sqrt(mean((v - mean(v))^2) / n))
  for (a in 0:1) { say("augmented.survival", a, x = colMeans(phi[[a + 1]])); say("augmented.std_error", a, x = se(phi[[a + 1]])) }
  say("augmented.difference", x = colMeans(phi[[2]] - phi[[1]])); say("augmented.difference_error", x = se(phi[[2]] - phi[[1]]))
  x <- seq(-2, 3, by = 0.25); say("spline", x = as.numeric(Hmisc::rcspline.eval(x, knots, inclx = TRUE)))
  close(out)
}
cat(R.version.string, paste(sapply(c("survival", "prodlim", "riskRegression", "Hmisc"), function(p) paste(p, packageVersion(p)))),
    "\n", file = file.path(folder, "versions"))
