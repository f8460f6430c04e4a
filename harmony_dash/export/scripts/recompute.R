# Recompute the released numbers from the released curves, and compare.
#
#     Rscript recompute.R [FOLDER]
#
# Needs R and no package. FOLDER holds the CSV files of one export; by default it is the folder of this script.
# Exit status: 0 all numbers agree, 1 some differ, 2 a file is missing.
#
# Curves are read on fixed days: an estimate is the curve on its day, a restricted mean the area under straight lines
# between the days, a median where they come down to 50 %, to the month. A hazard ratio has two decimals: within them it
# must lie in the middle of its limits on the scale of logarithms, and its p-value must be the one they ask for.

half_month <- 15.3
half_digit <- 0.005 + 1e-9 # of a hazard ratio
smallest_p <- 0.001 # stands for itself and everything below
exact <- 1e-9
rounding <- 8 # of two counts, each rounded by itself and at most 4 off

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(normalizePath(script))
checked <- 0
differing <- 0

compare <- function(what, recomputed, released, agrees) {
  checked <<- checked + 1
  differing <<- differing + !agrees
  words <- function(value) if (is.na(value)) "none" else format(signif(value, 6))
  cat(if (agrees) "ok  " else "DIFF", " ", formatC(what, width = -64), "  recomputed ", words(recomputed),
      "  released ", words(released), "\n", sep = "")
}

read_table <- function(name) {
  file <- file.path(folder, paste0(name, ".csv"))
  if (!file.exists(file)) {
    message(file, " is missing: put all files of the export into one folder.")
    quit(status = 2)
  }
  # text stays text: a group may be called "NA", "T" or "1"
  table <- read.csv(file, colClasses = "character", na.strings = character(), encoding = "UTF-8", check.names = FALSE)
  words <- c("group", "value", "reference", "curve", "curve_label", "comparison", "cause", "withheld")
  for (column in setdiff(names(table), words)) table[[column]] <- as.numeric(table[[column]])
  table
}

same <- function(one, other) (is.na(one) && is.na(other)) ||
  (!is.na(one) && !is.na(other) && abs(one - other) <= exact)

groups <- read_table("groups")
estimates <- read_table("estimates")
curves <- read_table("curves")
at_risk <- read_table("at_risk")
comparisons <- read_table("comparisons")

# Every estimate with its limits, and the numbers at risk.
for (i in seq_len(nrow(estimates))) {
  one <- estimates[i, ]
  what <- paste0(one$group, ", ", one$curve, ", day ", one$days)
  curve <- curves[curves$group == one$group & curves$curve == one$curve, ]
  inside <- nrow(curve) && one$days >= min(curve$days) && one$days <= max(curve$days)
  row <- if (inside) max(which(curve$days <= one$days)) else NA
  for (part in c("estimate", "lower", "upper")) {
    # on its first day a curve is what it is by definition, without an interval
    if (part != "estimate" && is.na(one[[part]])) next
    here <- if (is.na(row)) NA else curve[[part]][row]
    compare(paste0(what, ": ", part), here, one[[part]], same(here, one[[part]]))
  }
  count <- at_risk$at_risk[at_risk$group == one$group & at_risk$days == one$days]
  if (length(count) && !is.na(count)) compare(paste0(what, ": at risk"), count, one$at_risk, same(count, one$at_risk))
}

# The day on which straight lines between the points reach 50 %.
crossing <- function(days, heights) {
  at <- which(heights[-length(heights)] > 0.5 & heights[-1] <= 0.5)
  if (!length(at)) return(NA)
  i <- at[1]
  days[i] + (days[i + 1] - days[i]) * (heights[i] - 0.5) / (heights[i] - heights[i + 1])
}

two_sided <- function(z) 2 * pnorm(-abs(z))

# Whether a hazard ratio, its limits and its p-value belong together, as closely as their digits can tell.
check_ratio <- function(what, ratio, lower, upper, p) {
  if (lower <= half_digit || !is.finite(upper)) return(invisible()) # the digits say too little
  from <- log(c(lower, upper, ratio) - half_digit)
  to <- log(c(lower, upper, ratio) + half_digit)
  compare(paste0(what, ": hazard ratio"), sqrt(lower * upper), ratio,
          to[3] >= (from[1] + from[2]) / 2 && from[3] <= (to[1] + to[2]) / 2)
  normal <- qnorm(0.975)
  errors <- c(max((from[2] - to[1]) / (2 * normal), 1e-12), (to[2] - from[1]) / (2 * normal))
  nearest <- if (from[3] <= 0 && to[3] >= 0) 0 else min(abs(from[3]), abs(to[3]))
  most <- two_sided(nearest / errors[2])
  least <- two_sided(max(abs(from[3]), abs(to[3])) / errors[1])
  # two significant digits, and none below the smallest
  compare(paste0(what, ": p"), two_sided(log(ratio) * 2 * normal / log(upper / lower)), p,
          0.9 * least <= p + exact && (p <= 1.1 * most + exact || p <= smallest_p))
}

area <- function(days, heights, until) {
  kept <- days <= until
  x <- days[kept]
  y <- heights[kept]
  sum(diff(x) * (y[-1] + y[-length(y)]) / 2)
}

# Counts, medians and restricted means.
means <- list()
for (i in which(groups$withheld == "")) {
  one <- groups[i, ]
  counts <- at_risk[at_risk$group == one$group, ]
  if (nrow(counts) && !is.na(counts$at_risk[1])) {
    compare(paste0(one$group, ": patients, at risk at first at most all"), counts$at_risk[1], one$patients,
            counts$at_risk[1] <= one$patients + rounding)
  }
  curve <- curves[curves$group == one$group, ]
  curve <- curve[curve$curve == curve$curve[1], ]
  heights <- if (nrow(curve) && curve$estimate[1] == 0) 1 - curve$estimate else curve$estimate
  shown <- counts$events[!is.na(counts$events)]
  single <- !is.na(one$median_days) || !is.na(one$rmst_days)
  if (single && length(shown) && !is.na(one$events)) {
    last <- shown[length(shown)]
    compare(paste0(one$group, ": events, those in the table at most all"), last, one$events,
            last <= one$events + rounding)
  }
  if (!is.na(one$median_days)) {
    here <- crossing(curve$days, heights)
    compare(paste0(one$group, ": median days"), here, one$median_days,
            !is.na(here) && abs(here - one$median_days) <= half_month)
  }
  if (!is.na(one$hr)) {
    check_ratio(paste0(one$group, " against ", one$reference), one$hr, one$hr_lower, one$hr_upper, one$hr_p)
  }
  if (!is.na(one$rmst_days)) {
    here <- area(curve$days, heights, one$rmst_until_day)
    means[[one$group]] <- here
    # released to the day
    compare(paste0(one$group, ": restricted mean to day ", one$rmst_until_day), here, one$rmst_days,
            abs(here - one$rmst_days) <= 0.5 + exact)
  }
}

# Differences of restricted means, and that their limits are as wide as the standard errors ask for.
for (i in which(!is.na(comparisons$difference_days))) {
  one <- comparisons[i, ]
  what <- paste0(one$group, " minus ", one$reference, ": restricted means")
  here <- means[[one$group]] - means[[one$reference]]
  compare(what, here, one$difference_days, abs(here - one$difference_days) <= 1 + exact)
  errors <- groups$rmst_se_days[match(c(one$group, one$reference), groups$group)]
  margin <- qnorm(0.975) * sqrt(sum(errors^2))
  released <- (one$upper_days - one$lower_days) / 2
  # two significant digits
  compare(paste0(what, ": half of the interval"), margin, released, released >= 0.945 * margin)
}

cat(checked, " numbers compared, ", differing, " differ.\n", sep = "")
quit(status = if (differing > 0) 1 else 0)
