using System.Text.Json;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Controller.Loop;

/// <summary>Receives the deployments without replicas for which processes have queued requests, and reports them to the control loop.</summary>
internal sealed class DeploymentWakeUpSubscriber(ServeController controller) : ITopicSubscriber
{
    /// <inheritdoc/>
    public string Topic => DeploymentWakeUps.Topic;

    /// <inheritdoc/>
    public async ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var processes = JsonSerializer.Deserialize<Dictionary<string, string[]>>(publication.Payload.Span) ?? [];
        foreach (var text in processes.Values.SelectMany(waiting => waiting).Distinct(StringComparer.Ordinal))
        {
            if (DeploymentId.TryParse(text, out var deployment))
                await controller.RequestWakeUpAsync(deployment);
        }
    }
}
