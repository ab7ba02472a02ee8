namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>The two ways in which the protocol is spoken.</summary>
public enum ProtocolTransport
{
    Rest,
    Rpc,
}
