using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Pending request of a worker for an object that the driver owns.</summary>
internal interface IPendingObjectRequest
{
    ObjectId Id { get; }

    void Settle(Ready ready);
}
