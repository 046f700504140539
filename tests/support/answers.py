"""What the bridge does with questions, where there is none."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bus import Answer, DayReport, Question
from tests.support.listener import Listener
from tests.support.wait import limit


@contextmanager
def answering(listener: Listener, *reports: DayReport) -> Iterator[None]:
    """Meanwhile each question that the listener hears is answered, with the report of its day, or the first as of that day.

    As soon as it comes: a display waits four seconds for an answer, and then asks again.
    """
    over = threading.Event()

    def answer() -> None:
        answered = 0
        while not over.wait(0.02):
            for payload in listener.payloads("/question")[answered:]:
                question = Question.received("footfall/query/display/question", payload)
                report = next((one for one in reports if one.day == question.day), reports[0])
                told = Answer("display", question.id, "", replace(report, day=question.day or report.day))
                listener.publish(told.topic, told.pack())
                answered += 1

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(limit(10))
