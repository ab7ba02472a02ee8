using Grpc.Core;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>Takes a head's session in a worker. Holds no state: each session has its own.</summary>
internal sealed class SessionService(IServiceProvider services) : Wire.Sessions.SessionsBase
{
    public override async Task Session(IAsyncStreamReader<Frames> requestStream, IServerStreamWriter<Frames> responseStream, ServerCallContext context)
    {
        var pump = new FramePump(responseStream);
        var session = new WorkerSession(pump, services);
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
            {
                foreach (var frame in requestStream.Current.Frames_)
                    session.Receive(frame);
            }

            pump.Close(discard: false);
            await pump.Drained.ConfigureAwait(false);
        }
        catch (Exception thrown) when (thrown is OperationCanceledException or IOException or RpcException)
        {
            // The head is gone, or has no use for this worker; either ends the process soon.
        }
        finally
        {
            pump.Close(discard: true);
            session.End();
        }
    }
}
