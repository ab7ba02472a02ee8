namespace Serve.Gateway;

/// <summary>Whether load balancers are to send requests to this gateway: <c>/-/readyz</c>. Written by the composition root.</summary>
public sealed class GatewayReadiness
{
    private volatile string? _notReadyReason = "starting";

    /// <summary>Gets or sets why the gateway is not ready, in a word for operators; null if it is ready. Default <c>starting</c>.</summary>
    public string? NotReadyReason { get => _notReadyReason; set => _notReadyReason = value; }
}
