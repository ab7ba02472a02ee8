using Microsoft.Extensions.DependencyInjection;

namespace Serve.Runtime.TestWorker;

/// <summary>What a process under test is made of, node and worker alike.</summary>
public static class TestServices
{
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<IActorActivator, TestActivator>();
        services.AddSingleton<TopicLog>();
        services.AddSingleton<ITopicSubscriber>(provider => provider.GetRequiredService<TopicLog>());
    }
}
