using Google.Protobuf;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Compiles the code of the protocol in the background: in the driver while its first worker starts, in a worker while it opens its
/// socket. Its state is whether it has begun.
/// </summary>
internal static class ProtocolWarmUp
{
    private static int _begun;

    public static void Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 0)
            _ = Task.Run(RunAsync);
    }

    private static async Task RunAsync()
    {
        using var bytes = new MemoryStream();
        var stream = new FrameStream(bytes);
        var value = new Value { Format = 1, Inline = ByteString.CopyFrom(1, 2, 3, 4) };
        var message = new Frames();
        message.Frames_.Add(new Frame { Hello = new() { FirstId = 1 } });
        message.Frames_.Add(new Frame { Function = new() { Number = 1, Assembly = "a", Type = "t", Method = "m" } });
        message.Frames_.Add(new Frame { Run = new() { Id = 1, Function = 1, Name = "n", Arguments = { value } } });
        message.Frames_.Add(new Frame { Done = new() { Id = 1, Value = value, Microseconds = 1 } });
        await stream.WriteAsync(message).ConfigureAwait(false);
        bytes.Position = 0;
        await stream.ReadAsync().ConfigureAwait(false);
    }
}
