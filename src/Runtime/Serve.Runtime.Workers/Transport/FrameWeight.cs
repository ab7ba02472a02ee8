using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Estimated size of frames: cheap to compute, exact only for their payload.</summary>
internal static class FrameWeight
{
    /// <summary>Memory of a frame besides its payload.</summary>
    private const int Overhead = 256;

    public static int Of(Frame frame) => Overhead + frame.BodyCase switch
    {
        Frame.BodyOneofCase.Run => Sum(frame.Run.Arguments),
        Frame.BodyOneofCase.Submit => Sum(frame.Submit.Arguments),
        Frame.BodyOneofCase.CreateActor => Sum(frame.CreateActor.Arguments),
        Frame.BodyOneofCase.Done => Of(frame.Done.Value),
        Frame.BodyOneofCase.Item => Of(frame.Item.Value),
        Frame.BodyOneofCase.Ready => Of(frame.Ready.Value),
        Frame.BodyOneofCase.Put => Of(frame.Put.Value),
        Frame.BodyOneofCase.Printed => 2 * frame.Printed.Text.Length,
        Frame.BodyOneofCase.Question => frame.Question.Body.Length + frame.Question.Payload.Length,
        Frame.BodyOneofCase.Answer => frame.Answer.Body.Length,
        _ => 0,
    };

    private static int Sum(Google.Protobuf.Collections.RepeatedField<Value> values)
    {
        var sum = 0;
        foreach (var value in values)
            sum += Of(value);
        return sum;
    }

    private static int Of(Value? value) => value?.ContentCase switch
    {
        Value.ContentOneofCase.Inline => value.Inline.Length,
        Value.ContentOneofCase.Items => Sum(value.Items.Values),
        _ => 0,
    };
}
