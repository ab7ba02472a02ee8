namespace Serve.Controller;

/// <summary>Addresses that the node's servers listen on. Written by the composition root after they have started.</summary>
public sealed class NodeListenAddresses
{
    private volatile string? _gateway;
    private volatile string? _admin;

    /// <summary>The gateway's base address.</summary>
    public string? Gateway { get => _gateway; set => _gateway = value; }

    /// <summary>The admin API's base address.</summary>
    public string? Admin { get => _admin; set => _admin = value; }
}
