"""The scores queue: waiting scores go to the platforms' gradebooks."""

from typing import Any

from aws_lambda_powertools.utilities.batch import EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lti_tool.runtime import queue, wiring

wiring.at_start(wiring.grade_sync)
_processor = queue.ParallelBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def _record(record: SQSRecord) -> None:
    queue.handle_score(record.message_id, record.body, int(record.attributes.approximate_receive_count))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event=event, record_handler=_record, processor=_processor, context=context)
