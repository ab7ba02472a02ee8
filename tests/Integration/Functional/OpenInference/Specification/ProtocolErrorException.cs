using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>A request was refused: by the status of either transport, in gRPC's words.</summary>
internal sealed class ProtocolErrorException(StatusCode status, string message) : Exception(message)
{
    public StatusCode Status => status;
}
