"""What crosses patients: projections that follow the log at their own pace (role `projector`)."""
