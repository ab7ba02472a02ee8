namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Transports of the protocol.</summary>
public enum ProtocolTransport
{
    Rest,
    Rpc,
}
