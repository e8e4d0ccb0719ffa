"""One outside thing per file: DynamoDB, KMS, SQS, a platform."""
