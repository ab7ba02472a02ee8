using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Refusal of a request by either transport, with a gRPC status.</summary>
internal sealed class ProtocolErrorException(StatusCode status, string message) : Exception(message)
{
    public StatusCode Status => status;
}
