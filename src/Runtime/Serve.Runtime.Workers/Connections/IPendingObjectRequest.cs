using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Who waits in a worker for an object of the head's.</summary>
internal interface IPendingObjectRequest
{
    ObjectId Id { get; }

    void Settle(Ready ready);
}
